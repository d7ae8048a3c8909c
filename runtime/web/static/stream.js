// The WebSocket to hemonode: unpacks results, confirms each one drawn, and connects again when it is cut.

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 8000;

export function openStream(on) {
  let socket = null;
  let paused = false;
  let owed = 0;
  let pauseMs = FIRST_PAUSE_MS;

  // While the page is frozen it confirms nothing, so that nothing is encoded or sent for it.
  const confirm = () => {
    if (paused) owed += 1;
    else if (socket?.readyState === WebSocket.OPEN) socket.send("drawn");
  };

  async function receive(from, message) {
    if (typeof message.data === "string") {
      on.status(JSON.parse(message.data));
      return;
    }
    try {
      await on.result(await unpack(message.data));
    } finally {
      if (from === socket) confirm();
    }
  }

  function connect() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const opened = new WebSocket(`${scheme}://${location.host}/stream`);
    socket = opened;
    owed = 0;
    opened.binaryType = "arraybuffer";
    opened.onopen = () => { pauseMs = FIRST_PAUSE_MS; on.connection(true); };
    opened.onmessage = (message) => receive(opened, message);
    opened.onclose = () => {
      on.connection(false);
      setTimeout(connect, pauseMs);
      pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
    };
  }

  connect();
  return {
    pause(wanted) {
      paused = wanted;
      while (!paused && owed > 0) { owed -= 1; confirm(); }
    },
  };
}

// uint32 LE header length, header (JSON), JPEG, zlib-packed class ids.
async function unpack(buffer) {
  const headerBytes = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, headerBytes)));
  const jpegAt = 4 + headerBytes;
  const maskAt = jpegAt + header.jpeg_bytes;
  const [picture, classIds] = await Promise.all([
    createImageBitmap(new Blob([buffer.slice(jpegAt, maskAt)], { type: "image/jpeg" })),
    inflate(buffer.slice(maskAt)),
  ]);
  return { header, picture, classIds };
}

async function inflate(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

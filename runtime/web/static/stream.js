// The WebSocket to hemonode: unpacks results, confirms each one drawn, and connects again when it is cut.

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 8000;
// Status comes twice a second; a connection that stays open and says nothing is as good as cut: a network that went away
// closes nothing, and the browser would wait for hours.
const SILENT_AFTER_MS = 5000;

export function openStream(on) {
  let socket = null;
  let paused = false;
  let owed = [];
  let pauseMs = FIRST_PAUSE_MS;
  let heardAt = performance.now();
  let connected = false;

  // While the page is frozen it confirms nothing, so that nothing is encoded or sent for it.
  const confirm = (number) => {
    if (paused) owed.push(number);
    else if (socket?.readyState === WebSocket.OPEN) socket.send(`drawn ${number}`);
  };

  const tell = (now) => {
    if (now === connected) return;
    connected = now;
    on.connection(now);
  };

  async function receive(from, message) {
    heardAt = performance.now();
    if (typeof message.data === "string") {
      tell(true);
      on.status(JSON.parse(message.data));
      return;
    }
    const packet = headerOf(message.data);
    try {
      await on.result(await unpack(message.data, packet));
    } finally {
      if (from === socket) confirm(packet.header.number);
    }
  }

  function connect() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const opened = new WebSocket(`${scheme}://${location.host}/stream`);
    socket = opened;
    owed = [];
    opened.binaryType = "arraybuffer";
    opened.onopen = () => { pauseMs = FIRST_PAUSE_MS; heardAt = performance.now(); };
    opened.onmessage = (message) => receive(opened, message);
    opened.onclose = (event) => {
      tell(false);
      on.cut?.(event.reason);
      setTimeout(connect, pauseMs);
      pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
    };
  }

  setInterval(() => {
    if (socket?.readyState !== WebSocket.OPEN || performance.now() - heardAt <= SILENT_AFTER_MS) return;
    tell(false);
    socket.close();
  }, 1000);
  connect();
  return {
    pause(wanted) {
      paused = wanted;
      if (paused) return;
      const numbers = owed;
      owed = [];
      numbers.forEach(confirm);
    },
  };
}

function headerOf(buffer) {
  const bytes = new DataView(buffer).getUint32(0, true);
  return { header: JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, bytes))), end: 4 + bytes };
}

// uint32 LE header length, header (JSON), JPEG, zlib-packed class ids.
async function unpack(buffer, { header, end }) {
  const maskAt = end + header.jpeg_bytes;
  const [picture, classIds] = await Promise.all([
    createImageBitmap(new Blob([new Uint8Array(buffer, end, header.jpeg_bytes)], { type: "image/jpeg" })),
    inflate(new Uint8Array(buffer, maskAt)),
  ]);
  return { header, picture, classIds };
}

async function inflate(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

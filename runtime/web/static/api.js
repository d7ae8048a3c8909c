// Requests to hemonode. A refusal becomes an Error whose message is hemonode's own sentence.

export const get = (path) => request(path, { method: "GET" });

export const post = (path, body = {}) => request(path, {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body),
});

// Saves a file; where hemonode cannot make it, its sentence is told instead of a broken download.
export async function download(path) {
  const answer = await ask(path, { method: "GET" });
  const name = /filename="?([^";]+)"?/.exec(answer.headers.get("Content-Disposition") ?? "")?.[1] ?? "hemonode";
  const address = URL.createObjectURL(await answer.blob());
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

async function request(path, options) {
  const answer = await ask(path, options);
  return answer.json();
}

async function ask(path, options) {
  let answer;
  try {
    answer = await fetch(path, { ...options, credentials: "same-origin" });
  } catch {
    throw new Error("hemonode does not answer; nothing was changed.");
  }
  if (answer.ok) return answer;
  if (answer.status === 401) location.assign("/login");
  const content = await answer.text();
  throw new Error(sentence(content) ?? `hemonode refused this (${answer.status}).`);
}

function sentence(content) {
  try {
    const { error } = JSON.parse(content);
    return typeof error === "string" ? error : null;
  } catch {
    return content.trim().slice(0, 500) || null;
  }
}

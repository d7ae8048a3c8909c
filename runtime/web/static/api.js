// Requests to hemonode. A refusal becomes an Error whose message is hemonode's own sentence.

export const get = (path) => request(path, { method: "GET" });

export const post = (path, body = {}) => request(path, {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body),
});

async function request(path, options) {
  let answer;
  try {
    answer = await fetch(path, { ...options, credentials: "same-origin" });
  } catch {
    throw new Error("hemonode does not answer; nothing was changed.");
  }
  if (answer.status === 401) {
    location.assign("/login");
    throw new Error("The token is asked for again.");
  }
  const type = answer.headers.get("Content-Type") ?? "";
  const content = type.includes("json") ? await answer.json() : await answer.text();
  if (answer.ok) return content;
  throw new Error(sentence(content) ?? `hemonode refused this (${answer.status}).`);
}

function sentence(content) {
  if (typeof content === "string") return content.trim().slice(0, 500) || null;
  return typeof content?.error === "string" ? content.error : null;
}

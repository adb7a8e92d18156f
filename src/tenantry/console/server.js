// Talks to the server: adds the token, and turns a problem document into an error that says what to do.

const KEY = "tenantry.token";

export const token = {
  get: () => sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY),
  keep(value, remember) {
    (remember ? localStorage : sessionStorage).setItem(KEY, value);
  },
  drop() {
    sessionStorage.removeItem(KEY);
    localStorage.removeItem(KEY);
  },
};

export class Problem extends Error {
  constructor(status, document) {
    super([document.detail, document.remedy].filter(Boolean).join(" ") || "The server did not answer.");
    this.status = status;
  }
}

export async function call(method, path, { query, body } = {}) {
  const address = new URL(`api/v1/${path}`, document.baseURI);
  for (const [name, value] of Object.entries(query ?? {})) {
    for (const each of [value].flat()) {
      if (each !== undefined && each !== null && each !== "") address.searchParams.append(name, each);
    }
  }
  const headers = { Accept: "application/json" };
  if (token.get()) headers.Authorization = `Bearer ${token.get()}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await fetch(address, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  const content = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Problem(answer.status, content);
  return content;
}

export const get = (path, query) => call("GET", path, { query });
export const post = (path, body) => call("POST", path, { body });

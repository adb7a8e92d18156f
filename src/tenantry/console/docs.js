// Shows the OpenAPI description of this server, and lets the reader try each call with the token of the console.

import { byId, make, show } from "./dom.js";
import { token } from "./server.js";

const api = await (await fetch("openapi.json")).json();

const resolve = (schema) => (schema?.$ref ? api.components.schemas[schema.$ref.split("/").pop()] : schema);

function example(schema, depth = 0) {
  const known = resolve(schema) ?? {};
  if (known.default !== undefined) return known.default;
  if (known.enum) return known.enum[0];
  const variant = known.anyOf ?? known.oneOf ?? known.allOf;
  if (variant) return example(variant[0], depth);
  if (known.type === "array") return depth > 3 ? [] : [example(known.items, depth + 1)];
  if (known.type === "object" || known.properties) {
    const entries = Object.entries(known.properties ?? {});
    return depth > 3 ? {} : Object.fromEntries(entries.map(([name, each]) => [name, example(each, depth + 1)]));
  }
  return { string: "text", integer: 0, number: 0, boolean: false }[known.type] ?? null;
}

function typeName(schema) {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.anyOf) return schema.anyOf.map(typeName).join(" or ");
  if (schema.enum) return schema.enum.join(" | ");
  return schema.type === "array" ? `list of ${typeName(schema.items)}` : schema.type ?? "";
}

function operation(path, verb, described) {
  const body = described.requestBody?.content?.["application/json"]?.schema;
  const inputs = (described.parameters ?? []).filter((parameter) => parameter.in !== "cookie");
  const fields = new Map(inputs.map((parameter) => [parameter, make("input", { "aria-label": parameter.name })]));
  const text = body && make("textarea", { rows: 6, value: JSON.stringify(example(body), null, 2), "aria-label": "Body" });
  const answer = make("pre", { hidden: true });
  const attempt = make("button", { onclick: () => send(path, verb, fields, text, answer) }, "Try it");
  const rows = [...fields].map(([parameter, field]) =>
    make(
      "tr",
      {},
      make("td", {}, make("code", {}, parameter.name + (parameter.required ? " *" : ""))),
      make("td", { className: "quiet" }, [typeName(parameter.schema), parameter.description].filter(Boolean).join(" – ")),
      make("td", {}, field),
    ),
  );
  const answers = Object.entries(described.responses).map(([status, each]) => `${status} ${each.description}`);
  const className = described.deprecated ? "deprecated" : "";
  return make(
    "details",
    { id: described.operationId },
    make("summary", {}, make("span", { className: "verb" }, verb.toUpperCase()), make("code", { className }, path), make("span", { className: "quiet" }, described.summary ?? "")),
    make("div", {}, described.description && make("p", {}, described.description), rows.length > 0 && make("table", {}, rows), text, make("p", { className: "quiet" }, answers.join(" · ")), make("p", {}, attempt), answer),
  );
}

async function send(path, verb, fields, text, answer) {
  const query = new URLSearchParams();
  let address = path;
  for (const [parameter, { value }] of fields) {
    if (parameter.in === "path") address = address.replace(`{${parameter.name}}`, encodeURIComponent(value));
    else if (value !== "") value.split(",").forEach((each) => query.append(parameter.name, each));
  }
  const headers = token.get() ? { Authorization: `Bearer ${token.get()}` } : {};
  if (text) headers["Content-Type"] = "application/json";
  const target = address.slice(1) + (query.size ? `?${query}` : "");
  const response = await fetch(target, { method: verb.toUpperCase(), headers, body: text?.value });
  const kind = response.headers.get("Content-Type") ?? "";
  const content = kind.includes("json") ? JSON.stringify(await response.json(), null, 2) : `${kind || "no content"}`;
  answer.hidden = false;
  answer.textContent = `${response.status} ${response.statusText}\n\n${content}`;
}

const groups = new Map(api.tags.map((tag) => [tag.name, []]));
for (const [path, verbs] of Object.entries(api.paths)) {
  for (const [verb, described] of Object.entries(verbs)) {
    const group = described.tags?.[0] ?? "server";
    if (!groups.has(group)) groups.set(group, []);
    groups.get(group).push(operation(path, verb, described));
  }
}
const sections = [...groups].filter(([, operations]) => operations.length).flatMap(([name, operations]) => {
  const tag = api.tags.find((each) => each.name === name);
  return [make("h2", {}, name.replaceAll("_", " ")), tag && make("p", { className: "quiet" }, tag.description), ...operations];
});
const hint = token.get() ? "Calls are made as the user who is logged in to the console." : "Log in to the console first to try calls.";
show(byId("docs"), make("h1", {}, `${api.info.title} ${api.info.version}`), make("p", { className: "quiet" }, `${api.info.summary} ${hint}`), ...sections.filter(Boolean));
if (location.hash) document.querySelector(location.hash)?.setAttribute("open", "");

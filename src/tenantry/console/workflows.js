// The workflow library: one's own, what comes with the studio, and what others show.

import { make, show } from "./dom.js";
import { get } from "./server.js";

export async function workflows(stage, me, term) {
  const asked = { page: 0, per_page: 200, query: term, order_by: "name", direction: "ASC" };
  const [own, shown] = await Promise.all([get("workflows/", asked), get("workflows/", { ...asked, is_public: true })]);
  const known = new Map([...own.items, ...shown.items].map((workflow) => [workflow.workflow_id, workflow]));
  const cards = [...known.values()].map((workflow) => card(workflow, me));
  const title = make("div", { className: "title" }, make("h1", {}, "Workflows"), make("span", { className: "quiet" }, cards.length.toLocaleString("en")));
  const list = cards.length ? make("div", { className: "cards" }, cards) : make("p", { className: "empty" }, term ? "No workflow has this in its name, description or tags." : "No workflows here yet.");
  show(stage, make("section", { className: "content" }, title, list));
}

function card(workflow, me) {
  const tags = (workflow.tags ?? "").split(",").map((tag) => tag.trim()).filter(Boolean);
  return make(
    "article",
    { className: "card" },
    make("h2", {}, workflow.name),
    make("p", {}, workflow.description || "No description."),
    make("p", { className: "quiet" }, whose(workflow, me)),
    tags.map((tag) => make("span", { className: "tag" }, tag)),
  );
}

function whose(workflow, me) {
  if (workflow.category === "default") return "Comes with the studio";
  const owner = !me || workflow.user_id === me.user_id ? "Yours" : "Another user's";
  return workflow.is_public ? `${owner}, public` : owner;
}

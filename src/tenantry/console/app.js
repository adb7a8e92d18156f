// Decides what the page shows: a door, or the studio.

import { logIn, logOut, setUp } from "./door.js";
import { byId, make, show } from "./dom.js";
import { gallery } from "./gallery.js";
import { get, post, token } from "./server.js";
import { workflows } from "./workflows.js";

const VIEWS = { gallery, workflows };
const state = { me: null, tab: "gallery", term: "" };

async function start() {
  const status = await get("auth/status");
  if (status.multiuser_enabled && !token.get()) return knock(status);
  if (status.multiuser_enabled) {
    state.me = await get("auth/me");
    await post("auth/media-cookie");
  }
  byId("tabs").hidden = byId("search").hidden = false;
  byId("who").hidden = !state.me;
  byId("name").textContent = state.me ? state.me.display_name || state.me.email : "";
  await open();
}

function knock(status) {
  for (const id of ["tabs", "search", "who"]) byId(id).hidden = true;
  show(byId("stage"), status.setup_required ? setUp(begin) : logIn(begin));
}

async function open() {
  for (const button of byId("tabs").children) {
    if (button.dataset.tab === state.tab) button.setAttribute("aria-current", "page");
    else button.removeAttribute("aria-current");
  }
  await VIEWS[state.tab](byId("stage"), state.me, state.term, complain).catch(complain);
}

function complain(problem) {
  if (problem.status === 401 && token.get()) {
    token.drop();
    return begin();
  }
  show(byId("stage"), make("p", { className: "empty" }, problem.message || "The server cannot be reached."));
}

const begin = () => start().catch(complain);

byId("tabs").addEventListener("click", ({ target }) => {
  if (!target.dataset.tab) return;
  state.tab = target.dataset.tab;
  open();
});
byId("search").addEventListener("submit", (event) => {
  event.preventDefault();
  seek();
});
// The cross in the field empties it without submitting the form.
byId("search").addEventListener("search", seek, true);

function seek() {
  const term = new FormData(byId("search")).get("term").trim();
  if (term === state.term) return;
  state.term = term;
  open();
}

byId("leave").addEventListener("click", async () => {
  await logOut();
  byId("search").reset();
  Object.assign(state, { me: null, tab: "gallery", term: "" });
  begin();
});

begin();

// Boards beside a grid of what is on the chosen one; more is fetched as the reader comes to the end.

import { byId, make, show } from "./dom.js";
import { get } from "./server.js";

const PAGE = 60;
const SHOWN_AS = {
  private: "only its owner, administrators and those it is shared with see it",
  shared: "everybody sees it",
  public: "everybody sees it and may add to it",
};
let chosen;

export async function gallery(stage, me, term, complain) {
  const [boards, loose] = await Promise.all([
    get("boards/", { all: true }),
    get("gallery/items/", { board_id: "none", limit: 0, is_intermediate: false }),
  ]);
  const side = make("aside", {});
  const content = make("section", { className: "content" });
  const pick = (board, button) => {
    chosen = board.board_id;
    side.querySelectorAll("[aria-current]").forEach((other) => other.removeAttribute("aria-current"));
    button.setAttribute("aria-current", "page");
    showItems(content, board, term, complain);
  };
  const isMine = (board) => !me || board.user_id === me.user_id;
  const own = [
    { board_name: !me || me.is_admin ? "Everything" : "All of mine", note: "boards and loose items" },
    { board_name: "On no board", board_id: "none", note: count(loose.total, "item") },
    ...boards.filter(isMine).map((board) => ({ ...board, note: describe(board, true) })),
  ].map((board) => boardEntry(board, pick));
  const foreign = boards
    .filter((board) => !isMine(board))
    .map((board) => boardEntry({ ...board, note: describe(board, false, me.is_admin) }, pick));
  const others = foreign.length ? [make("h2", {}, "From others"), ...foreign] : [];
  show(side, make("h2", {}, "Boards"), ...own, ...others);
  show(stage, make("div", { className: "studio" }, side, content));
  const entries = [...own, ...foreign];
  (entries.find((entry) => entry.dataset.board === chosen) ?? entries[0]).click();
}

function boardEntry(board, pick) {
  const name = board.cover_image_name ?? board.cover_video_name;
  const kind = board.cover_image_name ? "images" : "videos";
  const cover = name
    ? make("img", { className: "cover", src: `api/v1/${kind}/i/${encodeURIComponent(name)}/thumbnail`, alt: "", loading: "lazy", onerror: blank })
    : make("span", { className: "cover" });
  const shown = SHOWN_AS[board.board_visibility];
  const button = make(
    "button",
    { className: "board", onclick: () => pick(board, button), title: board.board_name + (shown ? `: ${shown}` : "") },
    cover,
    make("span", {}, make("strong", {}, board.board_name), make("small", {}, board.note)),
  );
  if (board.board_id) button.dataset.board = board.board_id;
  return button;
}

// A file that is not there leaves an empty place.
const blank = ({ target }) => target.replaceWith(make("span", { className: "cover" }));

// How much is on a board, whose it is (administrators are told) and who sees it.
function describe(board, mine, administers = false) {
  const parts = [count(board.image_count + board.asset_count + board.video_count, "item")];
  if (!mine && board.owner_username) parts.push(`by ${board.owner_username}`);
  if (board.board_visibility !== "private") parts.push(board.board_visibility);
  else if (!mine) parts.push(administers ? "private" : "shared with you");
  return parts.join(", ");
}

function showItems(content, board, term, complain) {
  const grid = make("div", { className: "grid" });
  const end = make("div", { className: "end" });
  const number = make("span", { className: "quiet" });
  show(content, make("div", { className: "title" }, make("h1", {}, board.board_name), number), grid, end);
  let offset = 0;
  let busy = false;
  const watcher = new IntersectionObserver(async ([entry]) => {
    if (!entry.isIntersecting || busy) return;
    busy = true;
    const query = { board_id: board.board_id, offset, limit: PAGE, is_intermediate: false, search_term: term };
    const page = await get("gallery/items/", query).catch((problem) => grid.isConnected && complain(problem));
    busy = false;
    watcher.unobserve(end);
    if (!page || !grid.isConnected) return;
    offset += page.items.length;
    number.textContent = count(page.total, "item") + (term ? ` with “${term}”` : "");
    grid.append(...page.items.map(tile));
    if (!offset) content.append(make("p", { className: "empty" }, term ? "No prompt, metadata or date here has this." : "Nothing here yet."));
    if (page.items.length && offset < page.total) watcher.observe(end);
  }, { rootMargin: "600px" });
  watcher.observe(end);
}

function tile(item) {
  return make(
    "button",
    { className: "tile", title: item.created_at, onclick: () => view(item) },
    make("img", { src: item.thumbnail_url, alt: item.name, loading: "lazy", decoding: "async" }),
    item.starred && make("span", { className: "star" }, "★"),
    item.duration != null && make("span", { className: "length" }, `${item.duration.toFixed(1)} s`),
  );
}

async function view(item) {
  const viewer = byId("viewer");
  const caption = viewer.querySelector("figcaption");
  const playable = { src: item.full_url, poster: item.thumbnail_url, controls: true };
  const shown = item.kind === "video" ? make("video", playable) : make("img", { src: item.full_url, alt: "" });
  viewer.querySelector("img, video").replaceWith(shown);
  viewer.onclose = () => shown.pause?.();
  show(caption, make("h2", {}, item.name), make("p", { className: "quiet" }, "…"));
  viewer.showModal();
  const metadata = await get(`${item.kind}s/i/${encodeURIComponent(item.name)}/metadata`).catch(() => null);
  show(caption, make("h2", {}, item.name), facts(item, metadata ?? {}), make("a", { href: item.full_url, target: "_blank" }, "Open the file"));
}

function facts(item, metadata) {
  const known = {
    Made: `${item.created_at.slice(0, 16)} UTC`,
    Size: `${item.width} × ${item.height}`,
    Category: item.category,
    Prompt: metadata.positive_prompt,
    "Negative prompt": metadata.negative_prompt,
    Model: metadata.model?.name,
    Seed: metadata.seed,
    Steps: metadata.steps,
  };
  const rows = Object.entries(known).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return make("dl", {}, rows.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, String(value))]));
}

const count = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;

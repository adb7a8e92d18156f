// Boards beside a grid of what is on the chosen one; more is fetched as the reader comes to the end.

import { byId, make, show } from "./dom.js";
import { get } from "./server.js";

const PAGE = 60;

export async function gallery(stage, me, term) {
  const [boards, loose] = await Promise.all([
    get("boards/", { all: true }),
    get("gallery/items/", { board_id: "none", limit: 0, is_intermediate: false }),
  ]);
  const side = make("aside", {});
  const content = make("section", { className: "content" });
  const pick = (board, button) => {
    side.querySelectorAll("[aria-current]").forEach((other) => other.removeAttribute("aria-current"));
    button.setAttribute("aria-current", "page");
    showItems(content, board, term);
  };
  const entries = [
    { board_name: me?.is_admin ? "Everything" : "All of mine", note: "boards and loose items" },
    { board_name: "On no board", board_id: "none", note: count(loose.total, "item") },
    ...boards,
  ].map((board) => boardEntry(board, me, pick));
  show(side, make("h2", {}, "Boards"), ...entries);
  show(stage, make("div", { className: "studio" }, side, content));
  entries[0].click();
}

function boardEntry(board, me, pick) {
  const name = board.cover_image_name ?? board.cover_video_name;
  const kind = board.cover_image_name ? "images" : "videos";
  const cover = name
    ? make("img", { className: "cover", src: `api/v1/${kind}/i/${encodeURIComponent(name)}/thumbnail`, alt: "", loading: "lazy" })
    : make("span", { className: "cover" });
  const button = make(
    "button",
    { className: "board", onclick: () => pick(board, button), title: board.board_name },
    cover,
    make("span", {}, make("strong", {}, board.board_name), make("small", {}, board.note ?? describe(board, me))),
  );
  return button;
}

function describe(board, me) {
  const total = board.image_count + board.asset_count + board.video_count;
  const whose = me && board.user_id !== me.user_id ? ", shared with you" : board.board_visibility !== "private" ? `, ${board.board_visibility}` : "";
  return count(total, "item") + whose;
}

function showItems(content, board, term) {
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
    const page = await get("gallery/items/", query).catch((problem) => ({ items: [], total: 0, problem }));
    offset += page.items.length;
    number.textContent = page.problem?.message ?? count(page.total, "item");
    grid.append(...page.items.map(tile));
    if (!offset) content.append(make("p", { className: "empty" }, term ? "Nothing has this in its prompt." : "Nothing here yet."));
    busy = false;
    watcher.unobserve(end);
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
  const picture = viewer.querySelector("img");
  picture.src = item.kind === "image" ? item.full_url : item.thumbnail_url;
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

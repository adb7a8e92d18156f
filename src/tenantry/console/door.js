// The forms in front of the studio: log in, and the first administrator's.

import { make } from "./dom.js";
import { call, post, token } from "./server.js";

export function logIn(entered) {
  return door("Log in", "Log in", [email(), password("current-password"), remember()], async (values) => {
    const remembered = values.remember_me === "on";
    const answer = await post("auth/login", { email: values.email, password: values.password, remember_me: remembered });
    token.keep(answer.token, remembered);
    await entered();
  });
}

export function setUp(entered) {
  const fields = [email(), field("display_name", "Name", { autocomplete: "name" }), password("new-password")];
  return door("Welcome. Who administers this studio?", "Create the account", fields, async (values) => {
    await post("auth/setup", values);
    const answer = await post("auth/login", { email: values.email, password: values.password });
    token.keep(answer.token, false);
    await entered();
  });
}

export async function logOut() {
  await call("POST", "auth/logout").catch(() => undefined);
  token.drop();
}

function door(title, action, fields, enter) {
  const complaint = make("p", { className: "warn", role: "alert" });
  const button = make("button", { className: "main" }, action);
  const form = make("form", {}, make("h1", {}, title), ...fields, complaint, button);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    complaint.textContent = "";
    try {
      await enter(Object.fromEntries(new FormData(form)));
    } catch (problem) {
      complaint.textContent = problem.message;
    } finally {
      button.disabled = false;
    }
  });
  return make("section", { className: "door" }, form);
}

const field = (name, label, properties) => make("label", {}, label, make("input", { name, ...properties }));
const email = () => field("email", "E-mail", { type: "email", required: true, autocomplete: "username" });
const password = (autocomplete) => field("password", "Password", { type: "password", required: true, autocomplete });
const remember = () => make("label", { className: "row" }, make("input", { type: "checkbox", name: "remember_me" }), "Remember me");

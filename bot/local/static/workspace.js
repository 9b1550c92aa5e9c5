// The local workspace's page. The server renders every piece; this swaps them in, sends what people do,
// and keeps focus where it was. Everything a person sees arrives through sync(), so nothing is shown twice.

const page = document.body.dataset;
const $ = (id) => document.getElementById(id);
const stream = $("stream");
const messages = $("messages");
const composer = $("composer");
let change = Number(page.change);

// Sending ---------------------------------------------------------------------------------------

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// The same key goes with every try, so that an answer lost on the way makes nothing happen twice.
async function send(address, body = {}, key = crypto.randomUUID()) {
  for (let attempt = 0; ; attempt += 1) {
    try {
      const response = await fetch(address, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ ...body, key }),
      });
      const type = response.headers.get("Content-Type") ?? "";
      if (type.includes("json")) return await response.json();
      return { problem: response.status === 403 ? await response.text() : "The bot couldn’t answer. Try again." };
    } catch {
      if (attempt === 2) return { problem: "I can’t reach the bot. Is it still running? Nothing was lost. Try again." };
      await pause(400 * 2 ** attempt);
    }
  }
}

// What an act brought: where to go, a form to fill, something to say.
async function take(answer, opener) {
  if (answer.problem) toast(answer.problem);
  if (answer.said) announce(answer.said);
  if (answer.go) {
    goTo(answer.go);
    return;
  }
  await sync();
  if (answer.form) openForm(answer.form, opener);
}

let gone = false;

function goTo(address) {
  if (gone) return; // a second start would break off the first
  gone = true;
  location.assign(address);
}

function toast(words) {
  const box = $("toast");
  box.hidden = false;
  box.textContent = words;
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => { box.hidden = true; box.textContent = ""; }, 12000);
}

function announce(words) {
  const line = document.createElement("p");
  line.textContent = words;
  $("news").append(line);
  while ($("news").childElementCount > 6) $("news").firstElementChild.remove();
}

// Keeping up ------------------------------------------------------------------------------------

let syncing = null;
let again = false;
let moving = false; // this page is joining or leaving; the answer says where to go

function sync() {
  if (syncing) {
    again = true;
    return syncing;
  }
  syncing = (async () => {
    do {
      again = false;
      await syncOnce();
    } while (again);
  })().finally(() => { syncing = null; });
  return syncing;
}

async function syncOnce() {
  let news;
  try {
    const response = await fetch(`${page.base}/sync?since=${change}${document.hidden ? "" : "&watched"}`, { headers: { Accept: "application/json" } });
    if (!response.ok) return;
    news = await response.json();
  } catch {
    return; // the socket's return brings the next try
  }
  if (moving) return;
  if (news.epoch !== page.epoch || news.inside !== Boolean(page.inside)) {
    goTo(news.epoch === page.epoch ? page.base : page.person);
    return;
  }
  swap("conversations", news.conversations);
  swap("clock", news.clock);
  swap("head", news.head);
  if (news.home !== null) swap("home", news.home);
  showUnread(news.unread);
  if (news.messages.length) show(news.messages);
  change = Math.max(change, news.change);
  markRead();
}

const shownPieces = new Map();

function swap(id, html) {
  if (shownPieces.get(id) === html) return;
  shownPieces.set(id, html);
  const place = $(id);
  const focused = place.contains(document.activeElement) ? document.activeElement : null;
  place.innerHTML = html;
  if (focused?.dataset.press) focusOn(place, focused.dataset.press);
  else if (focused?.id) $(focused.id)?.focus();
}

function showUnread(count) {
  const badge = $("menu-badge");
  badge.hidden = !count;
  badge.lastChild.textContent = String(count);
  document.title = `${count ? `(${count}) ` : ""}${page.place} · ${page.name}`;
}

function element(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content.firstElementChild;
}

const drawn = new Map(); // a message's answer and its update often say the same; it is drawn and told once

function show(pieces) {
  const near = atEnd();
  let mine = false;
  for (const piece of pieces) {
    const old = $(`m${piece.id}`);
    if (piece.html === null) {
      removeMessage(old);
      continue;
    }
    if (old && drawn.get(piece.id) === piece.html) continue;
    drawn.set(piece.id, piece.html);
    const fresh = element(piece.html);
    if (old) replaceMessage(old, fresh);
    else if (!insertMessage(fresh)) continue;
    const who = fresh.querySelector(".name").textContent;
    mine ||= fresh.classList.contains("mine");
    if (!fresh.classList.contains("mine")) announce(`${old ? "Changed: " : ""}${who}: ${fresh.dataset.words}`);
  }
  tidy();
  if (near || mine) toEnd();
  else $("newest").hidden = false;
}

function insertMessage(fresh) {
  const all = [...messages.querySelectorAll(".message")];
  const after = all.find((message) => Number(message.dataset.id) > Number(fresh.dataset.id));
  // A change of a message older than those on the page is not a new message.
  if (after && after === all[0] && !$("earlier").hidden) return false;
  messages.insertBefore(fresh, after ?? null);
  $("empty").hidden = true;
  return true;
}

function replaceMessage(old, fresh) {
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const open = [...old.querySelectorAll("details")].map((details) => details.open);
  old.replaceWith(fresh);
  fresh.querySelectorAll("details").forEach((details, index) => { details.open = open[index] ?? false; });
  if (focused) focusOn(fresh, focused.dataset.press);
}

function removeMessage(old) {
  if (!old) return;
  const next = old.contains(document.activeElement);
  old.remove();
  if (next) composer.focus();
  $("empty").hidden = messages.querySelector(".message") !== null;
}

// The button with the same meaning if it is still there, else the message itself.
function focusOn(message, action) {
  const same = [...message.querySelectorAll("[data-press]")].find((button) => button.dataset.press === action);
  (same ?? message).focus({ preventScroll: true });
}

// Days between messages, and one name over what somebody said in a row.
function tidy() {
  messages.querySelectorAll(".day").forEach((line) => line.remove());
  let before = null;
  for (const message of messages.querySelectorAll(".message")) {
    const newDay = before?.dataset.day !== message.dataset.day;
    if (newDay) {
      const line = document.createElement("p");
      line.className = "day";
      line.textContent = message.dataset.day;
      message.before(line);
    }
    const same = !newDay && before?.dataset.author === message.dataset.author
      && before.querySelector("time").textContent === message.querySelector("time").textContent;
    message.classList.toggle("follows", same && !message.matches(".notice") && !before.matches(".notice"));
    before = message;
  }
}

const atEnd = () => stream.scrollHeight - stream.scrollTop - stream.clientHeight < 120;

/* A last message that is longer than the window is read from its beginning. */
function toEnd() {
  stream.scrollTop = stream.scrollHeight;
  const last = messages?.querySelector(".message:last-of-type");
  if (last && last.offsetHeight > stream.clientHeight) last.scrollIntoView({ block: "start" });
  if ($("newest")) $("newest").hidden = true;
}

let readUpto = 0;

function markRead() {
  const last = messages?.querySelector(".message:last-of-type");
  if (!last || document.hidden || Number(last.dataset.id) <= readUpto) return;
  readUpto = Number(last.dataset.id);
  send(`${page.base}/read`, { message: readUpto }).then(sync);
}

function listen() {
  const socket = new WebSocket(`${location.origin.replace("http", "ws")}${page.person}/live`);
  socket.onopen = () => { document.body.dataset.live = "yes"; sync(); };
  socket.onmessage = () => sync();
  socket.onclose = () => { document.body.dataset.live = ""; setTimeout(listen, 2000); };
}

// The composer and its commands -----------------------------------------------------------------

const unsent = { text: "", key: "" };
let chosen = -1;

function options() {
  return [...$("commands").children].filter((option) => !option.hidden);
}

function complete() {
  const typed = composer.value.toLowerCase();
  const wanted = typed.startsWith("/");
  let count = 0;
  for (const option of $("commands").children) {
    const words = option.dataset.words;
    option.hidden = !(wanted && (words.startsWith(typed) || (typed.length > 5 && words.includes(typed.slice(5)))) && words !== typed);
    if (!option.hidden) count += 1;
  }
  const was = $("commands").hidden;
  $("commands").hidden = count === 0;
  choose(-1);
  if (count && was) announce(`${count} ${count === 1 ? "command" : "commands"}; arrow keys choose.`);
}

function choose(index) {
  const all = options();
  chosen = index;
  for (const [place, option] of all.entries()) option.setAttribute("aria-selected", String(place === index));
  if (all[index]) {
    composer.setAttribute("aria-activedescendant", all[index].id);
    all[index].scrollIntoView({ block: "nearest" });
  } else composer.removeAttribute("aria-activedescendant");
}

function accept(option) {
  composer.value = `${option.dataset.words} `;
  hideCommands();
  grow();
  composer.focus();
}

function hideCommands() {
  $("commands").hidden = true;
  choose(-1);
}

function grow() {
  composer.style.height = "auto";
  composer.style.height = `${Math.min(composer.scrollHeight + 2, 160)}px`;
}

function composerKey(event) {
  if (event.isComposing) return;
  const open = !$("commands").hidden;
  const count = options().length;
  if (open && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    const step = event.key === "ArrowDown" ? 1 : -1;
    choose(chosen < 0 && step < 0 ? count - 1 : (chosen + step + count) % count);
  } else if (open && event.key === "Escape") hideCommands();
  else if (open && (event.key === "Tab" || event.key === "Enter") && chosen >= 0 && !event.shiftKey) accept(options()[chosen]);
  else if (event.key === "Enter" && !event.shiftKey) say();
  else return;
  event.preventDefault();
}

async function say() {
  const text = composer.value.trim();
  if (!text || $("composer-form").hasAttribute("aria-busy")) return;
  if (unsent.text !== text) Object.assign(unsent, { text, key: crypto.randomUUID() });
  busy(true, text);
  const answer = await send(`${page.base}/say`, { text }, unsent.key);
  busy(false, text);
  if (!answer.problem) {
    Object.assign(unsent, { text: "", key: "" });
    if (composer.value.trim() === text) composer.value = "";
    hideCommands();
    grow();
  }
  await take(answer, composer);
  if (!document.querySelector("dialog[open]")) toEnd();
}

function busy(on, text) {
  $("composer-form").toggleAttribute("aria-busy", on);
  const withBot = text.startsWith("/") || page.base.endsWith("/direct");
  $("typing").hidden = !(on && withBot);
}

// Buttons in messages ---------------------------------------------------------------------------

async function press(button, address = "press") {
  if (button.hasAttribute("aria-busy")) return;
  if (button.dataset.confirm && !(await ask(button.dataset.confirm, button.dataset.yes ?? button.textContent.trim()))) return;
  button.setAttribute("aria-busy", "true");
  moving = address !== "press";
  const message = button.closest(".message")?.dataset.id ?? button.closest("[data-form]")?.dataset.message ?? "";
  const answer = await send(`${page.base}/${address}`, { action: button.dataset.press ?? button.dataset.back, message });
  button.removeAttribute("aria-busy");
  moving = Boolean(answer.go);
  if (button.dataset.back && !answer.form && !answer.problem) button.closest("dialog").close();
  await take(answer, button);
}

const question = $("ask");
let settle = () => {};

function ask(words, yes, no = "No") {
  settle(false);
  $("ask-question").textContent = words;
  $("ask-yes").textContent = yes;
  $("ask-no").textContent = no;
  if (!question.open) question.showModal();
  question.querySelector("[value=no]").focus();
  return new Promise((done) => { settle = done; });
}

// Not by the close event: it comes late, when the next question may already be open.
function answerQuestion(event, yes) {
  event.preventDefault();
  question.close();
  settle(yes);
}

question.addEventListener("submit", (event) => answerQuestion(event, event.submitter?.value === "yes"));
question.addEventListener("cancel", (event) => answerQuestion(event, false));
question.addEventListener("close", () => { if (!question.open) settle(false); });
onEscape(question, (event) => answerQuestion(event, false));

// Escape is taken before the browser sees it: by itself it may close a dialog and the one under it at once.
function onEscape(dialog, run) {
  dialog.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing) return;
    event.preventDefault();
    run(event);
  });
}

// Dialogs ---------------------------------------------------------------------------------------

let opener = null;

// A step after a step takes the place of the one before; focus goes back to the first one's button.
function openForm(html, from) {
  const open = $("dialogs").querySelector("dialog");
  if (!open) opener = { button: from, message: from?.closest?.(".message")?.id, action: from?.dataset?.press };
  open?.remove();
  const dialog = element(html);
  $("dialogs").append(dialog);
  dialog.addEventListener("cancel", (event) => { event.preventDefault(); leave(dialog); });
  onEscape(dialog, () => leave(dialog));
  dialog.addEventListener("close", () => dialog.isConnected && shut(dialog));
  dialog.addEventListener("submit", (event) => { event.preventDefault(); sendForm(dialog); });
  dialog.addEventListener("input", () => { dialog.dataset.touched = "yes"; });
  dialog.showModal();
  (dialog.querySelector(".field input:checked, .field input, .field textarea, .field select") ?? dialog.querySelector("h2")).focus();
}

function shut(dialog) {
  dialog.remove();
  const message = opener?.message && $(opener.message);
  if (opener?.button?.isConnected) opener.button.focus();
  else if (message) focusOn(message, opener.action);
  else composer?.focus();
}

async function leave(dialog) {
  if (dialog.dataset.touched && dialog.hasAttribute("data-form")
    && !(await ask("Discard what you typed?", "Discard", "Keep writing"))) return;
  dialog.close();
}

function fieldValues(field) {
  const inputs = [...field.querySelectorAll("input, textarea, select")];
  if (field.matches("fieldset")) {
    const checked = inputs.filter((input) => input.checked).map((input) => input.value);
    return field.getAttribute("role") === "radiogroup" ? [checked[0] ?? ""] : checked;
  }
  return [inputs[0].value];
}

function values(dialog) {
  return Object.fromEntries([...dialog.querySelectorAll("[data-field]")].map((field) => [field.dataset.field, fieldValues(field)]));
}

// What the browser itself can tell, said beside the field as the bot's own errors are.
function problemOf(field) {
  if (field.hasAttribute("data-needed")) return fieldValues(field).join("") ? "" : "Choose an answer.";
  const input = field.querySelector("input, textarea, select");
  const { validity } = input;
  if (validity.valid) return "";
  if (validity.badInput) return input.type === "number" ? "Enter a whole number." : "This is not complete.";
  if (validity.valueMissing) return input.matches("select") ? "Choose an answer." : "Enter a value.";
  if (validity.rangeUnderflow) return `This must be at least ${input.min}.`;
  if (validity.rangeOverflow) return `This must be at most ${input.max}.`;
  if (validity.stepMismatch) return "Enter a whole number.";
  return "This does not fit.";
}

function showErrors(dialog, errors) {
  let first = null;
  const unplaced = { ...errors };
  for (const field of dialog.querySelectorAll("[data-field]")) {
    const words = errors[field.dataset.field] ?? "";
    delete unplaced[field.dataset.field];
    const line = field.querySelector(".error");
    line.textContent = words;
    line.hidden = !words;
    const marked = field.matches("fieldset") ? (field.matches("[role=radiogroup]") ? field : null) : field.querySelector("input, textarea, select");
    if (words) marked?.setAttribute("aria-invalid", "true");
    else marked?.removeAttribute("aria-invalid");
    field.classList.toggle("wrong", Boolean(words));
    if (words) first ??= field.querySelector("input, textarea, select");
  }
  const whole = dialog.querySelector(".error.whole");
  whole.textContent = Object.values(unplaced).join(" ");
  whole.hidden = !whole.textContent;
  if (first) first.focus();
  else if (whole.textContent) whole.scrollIntoView({ block: "nearest" });
}

async function sendForm(dialog) {
  if (dialog.hasAttribute("aria-busy")) return;
  const wrong = {};
  for (const field of dialog.querySelectorAll("[data-field]")) {
    const words = problemOf(field);
    if (words) wrong[field.dataset.field] = words;
  }
  showErrors(dialog, wrong);
  if (Object.keys(wrong).length) return;
  const body = { values: values(dialog), action: dialog.dataset.action, message: dialog.dataset.message };
  const sent = JSON.stringify(body);
  if (dialog.sent !== sent) Object.assign(dialog, { sent, key: crypto.randomUUID() });
  dialog.toggleAttribute("aria-busy", true);
  const answer = await send(addressOf(dialog), body, dialog.key);
  dialog.toggleAttribute("aria-busy", false);
  if (answer.problem) showErrors(dialog, { "": answer.problem });
  else if (answer.errors) {
    dialog.sent = null; // the same words may be right a moment later
    showErrors(dialog, answer.errors);
    sync();
  } else if (answer.form) await take(answer, null);
  else {
    dialog.close();
    await take(answer, null);
  }
}

function addressOf(dialog) {
  if (dialog.id === "channel-dialog") return `${page.person}/channels`;
  return dialog.hasAttribute("data-people") ? `${page.base}/people` : `${page.base}/submit`;
}

// The clock -------------------------------------------------------------------------------------

async function moveClock(button) {
  if ($("working").dataset.on) return;
  if (button.dataset.confirm && !(await ask(button.dataset.confirm, button.dataset.yes))) return;
  working(`Working: ${button.textContent.trim()}…`);
  const answer = await send(`${page.person}/clock/${button.dataset.clock}`, { hours: button.dataset.hours });
  await take(answer, button);
  working("");
}

function working(words) {
  $("working").dataset.on = words && "yes";
  $("working").hidden = !words;
  $("working").querySelector(".words").textContent = words;
  document.querySelectorAll("[data-clock]").forEach((one) => one.setAttribute("aria-disabled", words ? "true" : "false"));
}

// The menu on a phone ---------------------------------------------------------------------------

function menu(open) {
  document.body.toggleAttribute("data-menu", open);
  $("menu-button").setAttribute("aria-expanded", String(open));
  for (const part of document.querySelectorAll("main, section.clock")) part.inert = open;
  $(open ? "menu-close" : "menu-button").focus();
}

// Where everything is wired ---------------------------------------------------------------------

document.addEventListener("click", (event) => {
  const on = (selector) => event.target.closest?.(selector);
  if (document.body.hasAttribute("data-menu") && !on("#menu, #menu-button, dialog")) menu(false);
  const button = on("button");
  if (on("[data-press]")) press(on("[data-press]"));
  else if (on("[data-back]")) press(button);
  else if (on("[data-dismiss]")) send(`${page.base}/dismiss`, { message: button.dataset.dismiss }).then(sync);
  else if (on("[data-clock]")) moveClock(button);
  else if (on("[data-close]")) leave(on("dialog"));
  else if (on("[role=option]")) accept(on("[role=option]"));
});

function act(id, run) {
  $(id)?.addEventListener("click", (event) => run(event.currentTarget));
}

act("menu-button", (button) => menu(button.getAttribute("aria-expanded") === "false"));
act("menu-close", () => menu(false));
act("newest", toEnd);
act("join", (button) => press(button, "join"));
act("leave", (button) => press(button, "leave"));
act("people", async (button) => {
  const response = await fetch(`${page.base}/people`);
  if (response.ok) openForm((await response.json()).form, button);
});
act("new-channel", () => {
  const dialog = $("channel-dialog");
  dialog.querySelector("input").value = "";
  showErrors(dialog, {});
  dialog.showModal();
  dialog.querySelector("input").focus();
});
act("earlier", async (button) => {
  const first = messages.querySelector(".message");
  const response = await fetch(`${page.base}/earlier?before=${first.dataset.id}`);
  if (!response.ok) return;
  const older = await response.json();
  const height = stream.scrollHeight;
  for (const piece of older.messages) first.before(element(piece.html));
  button.hidden = !older.more;
  tidy();
  stream.scrollTop += stream.scrollHeight - height;
  messages.querySelector(".message").focus({ preventScroll: true });
});

const channelDialog = $("channel-dialog");
channelDialog.addEventListener("submit", (event) => { event.preventDefault(); sendForm(channelDialog); });

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && document.body.hasAttribute("data-menu") && !document.querySelector("dialog[open]")) menu(false);
});

if (messages) {
  composer.addEventListener("input", () => { complete(); grow(); });
  composer.addEventListener("keydown", composerKey);
  composer.addEventListener("blur", () => setTimeout(hideCommands, 150));
  $("composer-form").addEventListener("submit", (event) => { event.preventDefault(); say(); });
  stream.addEventListener("scroll", () => { if (atEnd()) $("newest").hidden = true; });
  tidy();
  toEnd();
  markRead();
  if (matchMedia("(min-width: 48rem)").matches) composer.focus();
}
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
document.addEventListener("visibilitychange", () => { if (!document.hidden) sync(); });
setInterval(() => { if (!document.hidden) sync(); }, 30000); // the clock ticks
listen();

"use strict";

// Shows what the phones would show: a message whose collapse id came before replaces the earlier
// one in place of adding a card.

const POLL_MS = 1500;
const NEWEST = 500;
const MODES = [
  ["ok", "Accepted"],
  ["unregistered", "This phone is gone (unregistered)"],
  ["sender_mismatch", "Another project's phone"],
  ["invalid_target", "Malformed target"],
  ["unauthenticated", "Wrong credentials"],
  ["permission_denied", "Permission denied"],
  ["third_party_auth", "Wrong Apple key"],
  ["not_found", "Not found"],
  ["quota", "Too many (quota)"],
  ["unavailable", "Unavailable"],
  ["internal", "Internal error"],
  ["unavailable_but_delivered", "Unavailable, but delivered"],
  ["invalid_argument", "Malformed message"],
  ["garbage", "Garbage"],
  ["hang", "No answer (hang)"],
  ["reset", "Cut connection (reset)"],
];

const byId = (id) => document.getElementById(id);
const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
const label = (mode) => (MODES.find(([value]) => value === mode) || [mode, mode])[1];
let tag = "";
let known = null; // ids already shown, so that only new cards move

const headersOf = (part) => (part && part.headers) || {};

function collapseId(message) {
  return (
    (message.android && message.android.collapse_key) ||
    headersOf(message.apns)["apns-collapse-id"] ||
    headersOf(message.webpush).Topic ||
    ""
  );
}

function phonesFrom(messages) {
  const phones = new Map();
  for (const item of messages) {
    const name = `${item.target_kind}:${item.target}`;
    if (!phones.has(name)) phones.set(name, { ...item, cards: new Map() });
    const phone = phones.get(name);
    const id = collapseId(item.message) || item.message_id;
    const earlier = phone.cards.get(id);
    phone.cards.delete(id); // to the end: the newest
    phone.cards.set(id, { ...item, pushes: (earlier ? earlier.pushes : 0) + 1 });
    phone.latest = item.received_at;
  }
  return [...phones.values()].sort((a, b) => (a.latest < b.latest ? 1 : -1));
}

function shortName(phone) {
  const kinds = { token: "Phone", fid: "Phone (installation id)", topic: "Topic" };
  const kind = kinds[phone.target_kind] || "Condition";
  const target = phone.target;
  return `${kind} ${target.length > 24 ? `…${target.slice(-10)}` : target}`;
}

function mark(list, text, kind) {
  const item = document.createElement("li");
  item.textContent = text;
  if (kind) item.className = kind;
  list.append(item);
}

function isUrgent(message) {
  const priority = (message.android && message.android.priority) || "";
  return priority.toLowerCase() === "high" || headersOf(message.apns)["apns-priority"] === "10";
}

function cardFor(item) {
  const card = byId("card-template").content.cloneNode(true).firstElementChild;
  const words = item.message.notification || {};
  const when = card.querySelector("time");
  when.dateTime = item.received_at;
  when.textContent = new Date(item.received_at).toLocaleTimeString([], {
    hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false,
  });
  card.querySelector(".card-title").textContent = words.title || "(no title)";
  card.querySelector(".card-body").textContent = words.body || "";
  const marks = card.querySelector(".marks");
  if (isUrgent(item.message)) mark(marks, "wakes the phone", "urgent");
  if (item.pushes > 1) mark(marks, `pushed ${item.pushes} times, seen once`);
  if (!marks.children.length) marks.remove();
  if (known && !known.has(item.message_id)) card.classList.add("new");
  return card;
}

function phoneFor(phone, index) {
  const section = byId("phone-template").content.cloneNode(true).firstElementChild;
  const name = section.querySelector("h2");
  name.id = `phone-${index}`;
  name.textContent = shortName(phone);
  name.title = phone.target;
  section.setAttribute("aria-labelledby", name.id);
  const list = section.querySelector(".cards");
  list.setAttribute("aria-labelledby", name.id);
  list.append(...[...phone.cards.values()].reverse().map(cardFor));
  return section;
}

function tellTime() {
  const now = new Date();
  const date = now.toLocaleDateString([], { weekday: "long", day: "numeric", month: "long" });
  const hour = now.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });
  for (const place of document.querySelectorAll(".date")) place.textContent = date;
  for (const place of document.querySelectorAll(".hour")) place.textContent = hour;
}

function say(text) {
  const summary = byId("summary"); // written only when it changes, as it is read aloud
  if (summary.textContent !== text) summary.textContent = text;
}

function show(messages) {
  const phones = phonesFrom(messages);
  const cards = phones.reduce((sum, phone) => sum + phone.cards.size, 0);
  const scrolled = new Map();
  for (const list of document.querySelectorAll(".cards")) {
    scrolled.set(list.closest(".phone").querySelector("h2").title, list.scrollTop);
  }
  byId("grid").replaceChildren(...phones.map(phoneFor));
  for (const list of document.querySelectorAll(".cards")) {
    list.scrollTop = scrolled.get(list.closest(".phone").querySelector("h2").title) || 0;
  }
  byId("empty").hidden = phones.length > 0;
  known = new Set(messages.map((item) => item.message_id));
  tellTime();
  const pushes = messages.length === 1 ? "1 push" : `${messages.length} pushes`;
  const first = messages.length === NEWEST ? `newest ${pushes}` : pushes;
  say(phones.length
    ? `${first}, ${plural(cards, "message")} seen on ${plural(phones.length, "phone")}`
    : "Listening. Nothing has arrived.");
}

function showRules(rules) {
  const everyone = rules.find((rule) => !rule.target);
  const select = byId("mode");
  if (document.activeElement !== select) select.value = everyone ? everyone.mode : "ok";
  const list = byId("rules");
  list.replaceChildren();
  for (const rule of rules) {
    const parts = [label(rule.mode)];
    if (rule.target) parts.push(`for …${rule.target.slice(-10)}`);
    if (rule.times !== null) parts.push(plural(rule.times, "more time"));
    if (rule.retry_after !== null) parts.push(`retry after ${rule.retry_after} s`);
    if (rule.latency_ms) parts.push(`${rule.latency_ms} ms late`);
    if (rule.target || parts.length > 1) mark(list, parts.join(", "));
  }
  list.hidden = !list.children.length;
}

async function refresh() {
  try {
    const rules = fetch("/behaviour");
    const answer = await fetch(`/messages?last=${NEWEST}`, {
      headers: tag ? { "If-None-Match": tag } : {},
    });
    if (answer.status === 200) {
      tag = answer.headers.get("ETag") || "";
      show(await answer.json());
    }
    showRules(await (await rules).json());
  } catch {
    tag = "";
    say("The server does not answer. Trying again…");
  }
}

async function poll() {
  if (!document.hidden) await refresh();
  setTimeout(poll, POLL_MS);
}

function start() {
  byId("endpoint").textContent = `FCM_ENDPOINT=${location.origin}`;
  for (const [value, text] of MODES) byId("mode").add(new Option(text, value));
  byId("mode").addEventListener("change", async (event) => {
    await fetch("/behaviour", { method: "PUT", body: JSON.stringify({ mode: event.target.value }) });
    await refresh();
  });
  byId("clear").addEventListener("click", async () => {
    await fetch("/messages", { method: "DELETE" });
    await refresh();
  });
  document.addEventListener("visibilitychange", refresh);
  setInterval(tellTime, 1000);
  poll();
}

start();

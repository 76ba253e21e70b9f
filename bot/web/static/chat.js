// Makes the chat smooth: sends each form by fetch and swaps <main>. Without this file, the same forms work plainly.
// One history entry a question, so that the browser's Back means "previous question". Sentences are in the templates.
const find = (selector) => document.querySelector(selector);
const { host } = document.body.dataset; // in a frame only: the page around it, told our height
let at = find("main").dataset.at, depth = history.state?.depth ?? 0;
let sending = false, unsent = null, arrived = 0, touched = 0, stream = null;

function send(form, submitter, moving = false) {
  const body = new URLSearchParams(new FormData(form));
  if (submitter?.name) body.append(submitter.name, submitter.value);
  if (!sending) find(".pressed")?.classList.remove("pressed");
  if (!sending) submitter?.classList.add("pressed");
  return post({ address: submitter?.getAttribute("formaction") ?? form.getAttribute("action"), body, form, moving });
}

async function post(letter) {
  if (sending) return;
  sending = true;
  find("main").setAttribute("aria-busy", "true");
  try {
    const method = letter.body ? "POST" : "GET";
    const headers = { "X-Requested-With": "fragment" }, signal = AbortSignal.timeout?.(20000);
    const answer = await fetch(letter.address, { method, body: letter.body, headers, signal });
    swap(await answer.text(), letter.moving);
    unsent = null;
  } catch {
    keep(letter);
  }
  sending = false;
  find("main").removeAttribute("aria-busy");
}

function swap(page, moving) {
  const next = new DOMParser().parseFromString(page, "text/html").querySelector("main");
  if (!next) throw new Error("not a page of ours");
  find("main").replaceWith(next);
  document.title = next.dataset.title;
  const moved = next.dataset.at !== at;
  if (moved && !moving) history.pushState({ depth: ++depth }, "", next.dataset.url || location.href);
  at = next.dataset.at;
  arrived = performance.now();
  find("#news").replaceChildren();
  if (!stream === shown() > 0) listen();
  reveal();
  if (moved) next.scrollIntoView({ behavior: "instant" });
  (next.querySelector("[data-focus]") ?? next.querySelector("h1, h2"))?.focus({ preventScroll: moved });
}

// No answer: what was pressed stays, and goes again with the same id, so that it counts once.
function keep(letter) {
  unsent = letter;
  find("[data-unsent]")?.remove();
  const box = find("#unsent").content.firstElementChild.cloneNode(true);
  (letter.form?.matches("main .choices, main .type") ? letter.form : find("main")).prepend(box);
  box.querySelector("button").addEventListener("click", retry);
  box.focus();
}

const retry = () => unsent && post(unsent);

// What the bot says first: the stream tells that there is something new, and a person at their screen decides when to
// look; nothing moves under a hand, and nothing typed is lost. A page left alone shows it by itself.
const shown = () => Number(find("main").dataset.url.split("?t=")[1]); // NaN where there is no turn, and in a frame

function listen() {
  stream?.close();
  stream = document.hidden || !shown() ? null : new EventSource(`/autodiag/nouvelles?t=${shown()}`);
  if (stream) stream.onmessage = ({ data }) => (data > shown() || data === "0") && tell();
}

function tell() {
  const fields = [...document.querySelectorAll("main [type=text], main textarea")];
  const typed = fields.some((field) => field.value !== field.defaultValue);
  if (!sending && !unsent && !typed && performance.now() - touched > 30000) return look();
  find("#news").replaceChildren(find("#new").content.cloneNode(true));
  find("#news button").addEventListener("click", look);
}

async function look() {
  try {
    const answer = await fetch("/autodiag", { headers: { "X-Requested-With": "fragment" } });
    swap(await answer.text());
  } catch {
    setTimeout(listen, 5000); // it is told again
  }
}

function reveal() {
  for (const button of document.querySelectorAll("[data-share], [data-copy], [data-print]"))
    button.hidden = "share" in button.dataset ? !navigator.share : "copy" in button.dataset && !navigator.clipboard;
}

addEventListener("submit", (event) => {
  if (!event.target.matches("[method=post]:not([data-file])")) return;
  event.preventDefault();
  send(event.target, event.submitter);
});

addEventListener("popstate", (event) => {
  const back = (event.state?.depth ?? 0) < depth;
  depth = event.state?.depth ?? 0;
  const form = find("form[data-back]");
  if (form && back) send(form, form.querySelector("button"), true);
  else if (form && host === undefined) post({ address: "/autodiag", moving: true });
});

addEventListener("click", (event) => {
  // The second tap of a double tap may fall on the next question, already there: it is not an answer.
  const twice = event.detail > 1 || (event.pointerType === "touch" && performance.now() - arrived < 350);
  if (twice && event.target.closest("form button")) event.preventDefault();
  const { share, copy, done, print: paper } = event.target.closest("button")?.dataset ?? {};
  if (paper !== undefined) print();
  if (share) navigator.share({ text: share }).catch(() => {});
  if (copy) navigator.clipboard.writeText(copy).then(() => (event.target.textContent = done));
});

const height = () => Math.ceil(find("html").getBoundingClientRect().height);
if (host) new ResizeObserver(() => parent.postMessage({ autodiag: { height: height() } }, host)).observe(find("html"));
for (const sign of ["pointerdown", "keydown", "scroll"])
  addEventListener(sign, () => (touched = performance.now()), { passive: true });
addEventListener("visibilitychange", listen);
addEventListener("online", retry);
addEventListener("online", listen);
reveal();
listen();

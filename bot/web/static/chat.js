// Makes the chat smooth: sends each form by fetch and swaps <main>. Without this file, the same forms work plainly.
// One history entry a question, so that the browser's Back means "previous question". Sentences are in the templates.
const find = (selector) => document.querySelector(selector);
let at = find("main").dataset.at;
let depth = history.state?.depth ?? 0;
let sending = false;
let unsent = null;
let arrived = 0;

async function send(form, submitter, moving = false) {
  const body = new URLSearchParams(new FormData(form));
  if (submitter?.name) body.append(submitter.name, submitter.value);
  submitter?.classList.add("pressed");
  await post({ address: form.getAttribute("action"), body, form, moving });
}

async function post(letter) {
  if (sending) return;
  sending = true;
  find("main").setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(letter.address, {
      method: letter.body ? "POST" : "GET",
      body: letter.body,
      headers: { "X-Requested-With": "fragment" },
      signal: AbortSignal.timeout?.(20000),
    });
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
  if (!next) return location.assign("/autodiag");
  find("main").replaceWith(next);
  document.title = next.dataset.title;
  const moved = next.dataset.at !== at;
  if (moved && !moving) history.pushState({ depth: ++depth }, "", next.dataset.url || location.href);
  at = next.dataset.at;
  arrived = performance.now();
  reveal();
  if (moved) next.scrollIntoView();
  (next.querySelector("[data-focus]") ?? next.querySelector("h1, h2"))?.focus({ preventScroll: moved });
}

// No network: what was pressed stays, and goes again with the same id, so that it counts once.
function keep(letter) {
  unsent = letter;
  find("[data-unsent]")?.remove();
  const box = find("#unsent").content.firstElementChild.cloneNode(true);
  (letter.form?.matches("main .choices, main .type") ? letter.form : find("main")).prepend(box);
  box.querySelector("button").addEventListener("click", retry);
  box.focus();
}

const retry = () => unsent && post(unsent);

function reveal() {
  for (const button of document.querySelectorAll("[data-share], [data-copy], [data-print]"))
    button.hidden = "share" in button.dataset ? !navigator.share : "copy" in button.dataset && !navigator.clipboard;
}

addEventListener("submit", (event) => {
  if (event.target.method !== "post") return;
  event.preventDefault();
  send(event.target, event.submitter);
});

// The second tap of a double tap may fall on the next question, already there: it is not an answer.
addEventListener("click", (event) => {
  const twice = event.detail > 1 || (event.pointerType === "touch" && performance.now() - arrived < 350);
  if (twice && event.target.closest("form button")) event.preventDefault();
});

addEventListener("popstate", (event) => {
  const back = (event.state?.depth ?? 0) < depth;
  depth = event.state?.depth ?? 0;
  const form = find("form[data-back]");
  if (form && back) send(form, form.querySelector("button"), true);
  else if (form) post({ address: "/autodiag", moving: true });
});

addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-share], [data-copy], [data-print]");
  if (!button) return;
  if ("print" in button.dataset) return print();
  if ("share" in button.dataset) return navigator.share({ text: button.dataset.share }).catch(() => {});
  await navigator.clipboard.writeText(button.dataset.copy);
  button.textContent = button.dataset.done;
});

addEventListener("online", retry);
history.replaceState({ depth }, "");
reveal();

// Passkeys: tells whether this device can make one, asks it to make or show one, sends what it answers.
// A challenge is asked for beforehand, since Safari wants the device to be asked at once after the press. Sentences are
// in the page, as templates.
const box = document.querySelector("[data-passkey]");
const [tested, said, button] = ["[data-tested]", "[data-said]", "button"].map((name) => box.querySelector(name));
const { passkey, asked, origin, onward } = box.dataset;
const KEEPS = 240_000; // a challenge lives five minutes
let ready, at;

const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (sign) => sign.charCodeAt());
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const word = (name) => box.querySelector(`[data-word=${name}]`).content.cloneNode(true);

function say(...told) {
  said.replaceChildren(...told);
  if (told.length) said.focus();
}

async function post(path, sent) {
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(asked + path, { method: "POST", headers, body: JSON.stringify(sent) }).catch(() => null);
  if (!answer) throw "unreachable";
  const told = await answer.json().catch(() => null);
  if (!told) throw "strange";
  if (answer.ok) return told;
  const sentence = document.createElement("p");
  sentence.textContent = told.phrase;
  throw sentence;
}

function prepare() {
  at = Date.now();
  ready = post("/defi", {});
  ready.catch(() => {});
}

async function ask() {
  if (Date.now() - at > KEEPS) prepare();
  const { options } = await ready;
  options.challenge = bytes(options.challenge);
  if (options.user) options.user.id = bytes(options.user.id);
  for (const list of [options.excludeCredentials, options.allowCredentials])
    for (const each of list ?? []) each.id = bytes(each.id);
  const made = await navigator.credentials[passkey === "make" ? "create" : "get"]({ publicKey: options });
  const { response } = made, sent = { transports: response.getTransports?.() ?? [] };
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"])
    if (response[name]) sent[name] = text(response[name]);
  const { id, type, authenticatorAttachment } = made;
  const credential = { id, rawId: text(made.rawId), type, authenticatorAttachment, response: sent };
  return post("/preuve", { credential, onward });
}

const FAULTS = { NotAllowedError: "cancelled", AbortError: "cancelled", InvalidStateError: "known", SecurityError: "elsewhere",
  NotSupportedError: "unlocked", ConstraintError: "unlocked" };

button.addEventListener("click", async () => {
  button.disabled = true;
  say();
  try {
    location.assign((await ask()).next);
  } catch (fault) {
    say(fault instanceof Node ? fault : word(typeof fault === "string" ? fault : (FAULTS[fault.name] ?? "strange")));
    prepare();
  }
  button.disabled = false;
});

async function test() {
  tested.replaceChildren();
  if (location.origin !== origin) return say(word(isSecureContext ? "elsewhere" : "insecure"));
  if (!isSecureContext) return say(word("insecure"));
  if (!window.PublicKeyCredential) return say(word("none"));
  const keeps = await PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable().catch(() => false);
  if (passkey === "make") tested.replaceChildren(word(keeps ? "ready" : "unlocked"));
  button.hidden = false;
  prepare();
}

test();

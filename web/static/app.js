// What a script adds to pages that work without one: colours that are kept, questions in place, lists that stay current,
// fields that say what their numbers mean. It asks nobody but the server of the page, and writes text, never markup.
"use strict";

document.documentElement.classList.add("script");

const DAY = 86400;
const main = () => document.getElementById("main");

// Colours: the cookie lets the server send them with the next page, so that nothing flashes.

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

document.getElementById("theme")?.addEventListener("click", () => {
  const theme = isDark() ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  document.cookie = `sftpgo_theme=${theme}; Path=/web; Max-Age=${365 * DAY}; SameSite=Strict`;
});

// Pages, fetched and shown in place.

async function fetched(url, options) {
  const response = await fetch(url, { credentials: "same-origin", cache: "no-store", ...options });
  const text = await response.text();
  return { response, page: new DOMParser().parseFromString(text, "text/html") };
}

function tell(notices) {
  const place = document.getElementById("notices");
  if (place && notices) {
    place.replaceChildren(...notices.childNodes);
  }
}

function replaceMain(page) {
  const next = page.getElementById("main");
  if (!next) {
    location.reload();
    return;
  }
  const notices = next.querySelector("#notices");
  const own = document.getElementById("notices");
  document.title = page.title;
  // The region that is announced has to stay the same element.
  const kept = [...next.childNodes].filter((node) => node !== notices);
  main().replaceChildren(own, ...kept);
  tell(notices);
  enhance(main());
}

// A link to a question opens it in a dialog.

let opener = null;

document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-ask]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) {
    return;
  }
  event.preventDefault();
  link.setAttribute("aria-busy", "true");
  try {
    const { page } = await fetched(link.href);
    const form = page.querySelector("form[data-question]");
    if (!form) {
      // It is gone already, or somebody has to log in again.
      location.assign(link.href);
      return;
    }
    opener = link;
    ask(document.adoptNode(form));
  } catch {
    location.assign(link.href);
  } finally {
    link.removeAttribute("aria-busy");
  }
});

function ask(form) {
  const dialog = document.createElement("dialog");
  const title = form.querySelector("h1");
  title.id = "question";
  dialog.setAttribute("aria-labelledby", "question");
  dialog.append(form);
  document.body.append(dialog);
  form.querySelector("[data-cancel]")?.addEventListener("click", (event) => {
    event.preventDefault();
    dialog.close();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button[type=submit]");
    button.setAttribute("aria-busy", "true");
    try {
      const body = new URLSearchParams(new FormData(form));
      const { response, page } = await fetched(form.action, { method: "POST", body });
      dialog.close();
      if (response.redirected) {
        history.replaceState(null, "", response.url);
      }
      replaceMain(page);
    } catch {
      dialog.close();
      form.submit();
    }
  });
  dialog.addEventListener("close", () => {
    dialog.remove();
    // The list may have been made anew meanwhile.
    const back = opener?.isConnected ? opener : document.getElementById(opener?.id);
    (back ?? main()).focus();
  });
  dialog.showModal();
  form.querySelector("[data-cancel]")?.focus();
}

// Lists that stay current.

const seen = new Map();

function size(bytes) {
  const units = ["B", "KB", "MB", "GB", "TB", "PB", "EB"];
  let unit = 0;
  while (bytes >= 999.95 && unit < units.length - 1) {
    bytes /= 1000;
    unit += 1;
  }
  return unit === 0 ? `${Math.round(bytes)} B` : `${bytes.toFixed(1)} ${units[unit]}`;
}

// From what the last two looks say: the figure of the server is the mean since the beginning.
function tellSpeeds(region) {
  const now = performance.now();
  const present = new Set();
  for (const place of region.querySelectorAll("[data-key]")) {
    const { key, bytes } = place.dataset;
    const before = seen.get(key);
    present.add(key);
    if (before && now > before.time) {
      const rate = Math.max(0, (Number(bytes) - before.bytes) * 1000 / (now - before.time));
      place.textContent = `${size(rate)}/s`;
    }
    seen.set(key, { time: now, bytes: Number(bytes) });
  }
  for (const key of seen.keys()) {
    if (!present.has(key)) {
      seen.delete(key);
    }
  }
}

function summary(region) {
  return region.querySelector("[data-summary]")?.textContent.trim() ?? "";
}

// Whoever hears the page is told what has changed, and not every few seconds that nothing has.
function tellNews(before, now) {
  const news = document.getElementById("news");
  if (news && now && now !== before) {
    news.textContent = now;
  }
}

async function refresh(region) {
  const { page } = await fetched(location.href);
  const next = page.getElementById(region.id);
  if (!next || !region.isConnected) {
    return;
  }
  // Whoever reads with the keyboard keeps the place.
  const focused = region.contains(document.activeElement) ? document.activeElement.id : "";
  const before = summary(region);
  region.replaceChildren(...next.childNodes);
  tellNews(before, summary(region));
  tellSpeeds(region);
  if (focused) {
    document.getElementById(focused)?.focus();
  }
}

function keepCurrent(region) {
  const period = Number(region.dataset.live) * 1000;
  tellSpeeds(region);
  const again = async () => {
    if (!region.isConnected) {
      return;
    }
    // Nobody looks, something is being asked, or a text is being marked.
    const busy = document.hidden || document.querySelector("dialog[open]") || !getSelection().isCollapsed;
    if (!busy) {
      try {
        await refresh(region);
      } catch {
        // The server is away for a moment; the next look tells.
      }
    }
    setTimeout(again, period);
  };
  setTimeout(again, period);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-refresh]");
  const region = link?.closest("[data-live]");
  if (!region) {
    return;
  }
  event.preventDefault();
  refresh(region).catch(() => location.reload());
});

// Forms.

function tellMeaning(input) {
  const hint = document.createElement("output");
  hint.className = "hint";
  hint.htmlFor = input.id;
  input.after(hint);
  const update = () => {
    const number = Number(input.value);
    if (!(number > 0)) {
      hint.textContent = "";
    } else if (input.dataset.unit === "bytes") {
      hint.textContent = number >= 1000 ? `= ${size(number)}` : "";
    } else {
      hint.textContent = number >= 1000 ? `= ${size(number * 1000)}/s` : "";
    }
  };
  input.addEventListener("input", update);
  update();
}

function showChosenStorage(choice) {
  const update = () => {
    for (const group of document.querySelectorAll("[data-provider]")) {
      group.hidden = group.dataset.provider !== choice.value;
    }
  };
  choice.addEventListener("change", update);
  update();
}

function enhance(root) {
  root.querySelectorAll("[data-live]").forEach(keepCurrent);
  root.querySelectorAll("input[data-unit]").forEach(tellMeaning);
  root.querySelectorAll("[data-provider-choice]").forEach(showChosenStorage);
  document.getElementById("mistakes")?.focus();
}

enhance(document);

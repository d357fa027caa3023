// Drives Chromium through the web admin of a running server: what an administrator does, in light and dark, on a desktop
// and on a phone, and once without scripts. `crates/server/tests/interop/browser.rs` starts the server and a client that
// uploads slowly, again and again, and runs this.
//
//   BASE_URL     the server
//   CHROMIUM     the browser
//   UPLOADER     the user whose upload is running
//   SCREENSHOTS  where pictures of the pages go; none are taken without it
"use strict";

const assert = require("node:assert/strict");
const path = require("node:path");
const axe = require("axe-core");
const { chromium } = require("playwright-core");

const { BASE_URL, CHROMIUM, UPLOADER, SCREENSHOTS } = process.env;
const SIZES = { desktop: { width: 1280, height: 860 }, phone: { width: 390, height: 844 } };
const PATIENCE = 20_000;
/** The pages that the documentation shows. */
const PICTURES = ["users", "edit-user", "connections", "status", "backup"];

/** What went wrong that nobody asked for: errors of scripts, refused contents, requests to somebody else. */
const surprises = [];

async function open(browser, options) {
  const context = await browser.newContext({ baseURL: BASE_URL, ...options });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  page.on("pageerror", (error) => surprises.push(`error: ${error}`));
  page.on("console", (message) => {
    // A page that is not there is told here too, and some tests ask for one.
    if (message.type() === "error" && !message.text().includes("status of 4")) {
      surprises.push(`console: ${message.text()}`);
    }
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(BASE_URL)) {
      surprises.push(`request: ${request.url()}`);
    }
  });
  return page;
}

/** Nothing serious for people who see, hear or point otherwise; no page wider than the window. */
async function inspect(page, name) {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => window.axe.run(document, { preload: false, resultTypes: ["violations"] }));
  const bad = violations.filter((found) => ["serious", "critical"].includes(found.impact));
  const told = bad.map((found) => `${found.id}: ${found.nodes.map((node) => node.html + "\n    " + node.failureSummary).join("\n  ")}`);
  assert.equal(bad.length, 0, `${name}: ${told.join("\n")}`);
  await fits(page, name);
}

async function fits(page, name) {
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(wider <= 0, `${name} is ${wider} pixels wider than the window`);
}

async function look(page, look, name) {
  await inspect(page, `${name}, ${look}`);
  if (SCREENSHOTS && PICTURES.includes(name)) {
    await page.screenshot({ path: path.join(SCREENSHOTS, `${name}-${look}.png`) });
  }
}

const told = (page, text) => page.locator("#notices").getByText(text).waitFor();

/** Clicks what asks first, and answers. */
async function answer(page, link, button, scripted) {
  await link.click();
  const question = scripted ? page.getByRole("dialog") : page.locator("form[data-question]");
  await question.getByRole("button", { name: button }).click();
}

async function users(page, name, scripted, looks) {
  await page.goto("/");
  assert.match(page.url(), /\/web\/users$/);
  await look(page, looks, "users");
  await page.getByRole("link", { name: "Add user" }).click();
  await look(page, looks, "add-user");

  // A mistake first: it is told, leads to its field, and nothing that was typed is lost.
  await page.getByLabel("Username").fill(name);
  await page.getByLabel("Quota, bytes").fill("");
  await page.locator("#password").fill("a password of a test");
  await page.getByLabel("Home directory").fill(`/tmp/${name}`);
  await page.getByRole("button", { name: "Add user" }).click();
  await page.getByText("Nothing was saved yet").waitFor();
  await look(page, looks, "mistake");
  assert.equal(await page.getByLabel("Username").inputValue(), name);
  await page.getByRole("alert").getByRole("link", { name: "Quota, bytes" }).click();
  await page.getByLabel("Quota, bytes").fill("5000000000");
  if (scripted) {
    await page.getByText("= 5.0 GB").waitFor();
  }
  await page.locator("#password").fill("a password of a test");
  await page.getByRole("button", { name: "Add user" }).click();
  await told(page, "The user was added.");

  await page.getByRole("searchbox").fill(name);
  await page.getByRole("button", { name: "Search" }).click();
  await page.getByRole("link", { name, exact: true }).click();
  assert.equal(await page.getByLabel("Quota, bytes").inputValue(), "5000000000");
  await look(page, looks, "edit-user");
  await page.getByLabel("Permissions of single directories").fill("/incoming::list,upload");
  await page.getByLabel("Status").selectOption("0");
  await page.getByRole("button", { name: "Save changes" }).click();
  await told(page, "The user was updated.");
  await page.goto(`/web/users?search=${name}`);
  const row = page.locator("tr", { hasText: name });
  await row.getByText("Inactive").waitFor();
  await row.getByText('"/incoming": "list, upload"').waitFor();

  await answer(page, row.getByRole("link", { name: "Scan" }), "Start quota scan", scripted);
  await told(page, /quota scan/);
  await page.goto(`/web/users?search=${name}`);
  const remove = page.locator("tr", { hasText: name }).getByRole("link", { name: "Delete" });
  await remove.click();
  if (scripted) {
    await page.getByRole("dialog").waitFor();
  }
  await look(page, looks, "delete-user");
  await page.goto(`/web/users?search=${name}`);
  await answer(page, remove, "Delete user", scripted);
  await told(page, "The user was deleted.");
  await page.goto(`/web/users?search=${name}`);
  await page.getByText(`No user begins with “${name}”`).waitFor();
  await look(page, looks, "no-user");
}

/** The settings of the chosen store are shown and no others; a secret that is stored can be given up and is never shown. */
async function stores(page, name, looks) {
  await page.goto("/web/user");
  for (const number of ["1", "2", "3"]) {
    await page.locator("#fs_provider").selectOption(number);
    const groups = page.locator("[data-provider]:visible");
    assert.deepEqual(await groups.evaluateAll((all) => all.map((group) => group.dataset.provider)), [number]);
    await inspect(page, `store ${number}, ${looks}`);
  }
  await page.getByLabel("Username").fill(name);
  await page.locator("#password").fill("a password of a test");
  await page.getByLabel("Home directory").fill(`/tmp/${name}`);
  await page.getByLabel("Container").fill("files");
  await page.getByLabel("Account key").fill("a key in base64?");
  await page.getByRole("button", { name: "Add user" }).click();
  await page.getByRole("alert").getByRole("link", { name: "Account name" }).click();
  await page.getByLabel("Account name").fill("files");
  await page.getByLabel("Account key").fill("a2V5");
  await page.locator("#password").fill("a password of a test");
  await page.getByRole("button", { name: "Add user" }).click();
  await told(page, "The user was added.");

  const edit = async () => {
    await page.goto(`/web/users?search=${name}`);
    await page.getByRole("link", { name, exact: true }).click();
  };
  await edit();
  assert.equal(await page.getByLabel("Account key").inputValue(), "");
  await inspect(page, `stored secret, ${looks}`);
  await page.getByLabel("Forget the one there is").check();
  await page.getByRole("button", { name: "Save changes" }).click();
  await told(page, "The user was updated.");
  await edit();
  assert.equal(await page.getByLabel("Container").inputValue(), "files");
  assert.equal(await page.getByLabel("Forget the one there is").count(), 0);
  await answer(page, page.getByRole("link", { name: "Delete" }), "Delete user", true);
  await told(page, "The user was deleted.");
}

async function connections(page, scripted, looks) {
  await page.goto("/web/connections");
  const row = page.locator("tr", { hasText: UPLOADER }).first();
  const upload = row.locator(".transfer", { hasText: "UL" });
  // Without a script the page is asked for again.
  for (;;) {
    try {
      await upload.getByText("KB/s").first().waitFor({ timeout: scripted ? PATIENCE : 500 });
      break;
    } catch (error) {
      if (scripted) {
        throw error;
      }
      await page.getByRole("link", { name: "Refresh" }).click();
    }
  }
  if (scripted) {
    // The page goes on by itself, and tells how fast it is now.
    const before = await upload.locator("[data-bytes]").getAttribute("data-bytes");
    await page.waitForFunction((bytes) => {
      const now = document.querySelector(".now");
      return now && now.dataset.bytes !== bytes && now.textContent !== "";
    }, before);
  }
  await look(page, looks, "connections");
  const id = await row.getAttribute("data-id");
  await answer(page, row.getByRole("link", { name: "Disconnect" }), "Disconnect", scripted);
  await told(page, "The connection was closed.");
  const gone = async () => (await page.request.get("/api/v1/connection")).json();
  const until = Date.now() + PATIENCE;
  while ((await gone()).some((connection) => connection.connection_id === id)) {
    assert.ok(Date.now() < until, "the connection is still there");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function backups(page, name, scripted, looks) {
  await page.goto("/web/backup");
  await page.getByLabel("File name").fill(`${name}.json`);
  await page.getByRole("button", { name: "Write backup" }).click();
  await told(page, "The backup was written.");
  await page.getByRole("row", { name: `${name}.json` }).waitFor();
  await look(page, looks, "backup");

  // What was there when the backup was written is there again.
  const list = await (await page.request.get("/api/v1/user?username=restored")).json();
  await page.request.delete(`/api/v1/user/${list[0].id}`);
  await page.getByLabel("Or a backup on the server").selectOption(`${name}.json`);
  await page.getByRole("button", { name: "Restore" }).click();
  await told(page, "The backup was restored.");
  await page.goto("/web/users?search=restored");
  await page.getByRole("link", { name: "restored", exact: true }).waitFor();

  await page.goto("/web/backup");
  await page.getByLabel("A file of this computer").setInputFiles({
    name: "wrong.json",
    mimeType: "application/json",
    buffer: Buffer.from("no dump"),
  });
  await page.getByRole("button", { name: "Restore" }).click();
  await page.getByText(/is no dump/).waitFor();
  const dump = { users: [{ ...list[0], username: `sent-${name}`, password: "$argon2id$none" }] };
  await page.getByLabel("A file of this computer").setInputFiles({
    name: "dump.json",
    mimeType: "application/json",
    buffer: Buffer.from(JSON.stringify(dump)),
  });
  await page.getByRole("button", { name: "Restore" }).click();
  await told(page, "The backup was restored.");
  await page.goto(`/web/users?search=sent-${name}`);
  const row = page.locator("tr", { hasText: `sent-${name}` });
  await answer(page, row.getByRole("link", { name: "Delete" }), "Delete user", scripted);
  await told(page, "The user was deleted.");
}

async function rest(page, scripted, looks) {
  await page.goto("/web/status");
  await page.getByText("sqlite").waitFor();
  await page.getByText("SHA256:").first().waitFor();
  await look(page, looks, "status");
  await answer(page, page.getByRole("link", { name: "Lift" }).first(), "Lift the ban", scripted);
  await told(page, "neither banned");
  await page.goto("/web/user/999999");
  await look(page, looks, "not-found");
}

/** No page is wider than its window, whatever the window. */
async function widths(page) {
  for (const width of [320, 360, 720, 721, 1024, 1240, 1241, 1600]) {
    await page.setViewportSize({ width, height: 800 });
    for (const place of ["/web/users", "/web/user", "/web/connections", "/web/status", "/web/backup"]) {
      await page.goto(place);
      await fits(page, `${place} at ${width} pixels`);
    }
  }
}

/** Everything can be reached and done with the keyboard; the colours that somebody chose stay. */
async function keyboard(page) {
  await page.goto("/web/users");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.activeElement.id === "main");
  await page.getByRole("link", { name: /^Delete/ }).first().focus();
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog");
  await dialog.waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Cancel");
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  assert.match(await page.evaluate(() => document.activeElement.textContent), /^Delete/);
  await page.getByRole("button", { name: "Light or dark" }).click();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
  await page.goto("/web/status");
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
  await inspect(page, "status, dark by choice");
}

async function main() {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });
  try {
    for (const colorScheme of ["light", "dark"]) {
      for (const [size, viewport] of Object.entries(SIZES)) {
        const looks = `${size}-${colorScheme}`;
        const page = await open(browser, { colorScheme, viewport });
        await users(page, `test-${looks}`, true, looks);
        await stores(page, `store-${looks}`, looks);
        await connections(page, true, looks);
        await backups(page, `backup-${looks}`, true, looks);
        await rest(page, true, looks);
        await page.context().close();
        console.log(`ok: ${looks}`);
      }
    }
    const keys = await open(browser, { colorScheme: "light", viewport: SIZES.desktop });
    await keyboard(keys);
    await widths(keys);
    await keys.context().close();
    console.log("ok: keyboard");

    const plain = await open(browser, { javaScriptEnabled: false, viewport: SIZES.desktop });
    await withoutScripts(plain);
    await plain.context().close();
    console.log("ok: without scripts");
  } finally {
    await browser.close();
  }
  assert.deepEqual(surprises, []);
}

/** The same work, where the inspection cannot run: it is a script as well. */
async function withoutScripts(page) {
  await page.goto("/web/user");
  assert.equal(await page.locator("[data-provider]:visible").count(), 3);
  await page.getByLabel("Username").fill("plain");
  await page.locator("#password").fill("a password of a test");
  await page.getByLabel("Home directory").fill("/tmp/plain");
  await page.getByRole("button", { name: "Add user" }).click();
  await told(page, "The user was added.");
  const row = page.locator("tr", { hasText: "/tmp/plain" });
  await answer(page, row.getByRole("link", { name: "Scan" }), "Start quota scan", false);
  await told(page, /quota scan/);
  await answer(page, row.getByRole("link", { name: "Delete" }), "Delete user", false);
  await told(page, "The user was deleted.");
  await page.goto("/web/connections");
  const upload = page.locator("tr", { hasText: UPLOADER }).first();
  const until = Date.now() + PATIENCE;
  while (!(await upload.isVisible())) {
    assert.ok(Date.now() < until, "no upload");
    await page.getByRole("link", { name: "Refresh" }).click();
  }
  await answer(page, upload.getByRole("link", { name: "Disconnect" }), "Disconnect", false);
  await told(page, "The connection was closed.");
}

main().catch((error) => {
  console.error(error, surprises);
  process.exit(1);
});

// A browser, and what a page did in it that no page of ours may do.
//
// `main.rs` starts the server and tells where it is.

import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

/** Where queries are run, such as `http://localhost:40000`. */
export const server = process.env.PODLENS_URL;

/** Where `/metrics` are. */
export const health = process.env.PODLENS_HEALTH_URL;

/** For whatever comes by itself. The machine may be busy. */
const PATIENCE_MILLISECONDS = 20_000;

/** Starts the browser of this machine, with nothing of anybody's in it, and without the requests that it makes of its own. */
export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: [
      // A container's root has no sandbox to give.
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/**
 * A page of its own context, and `check`, which fails where the page has done what none may: run a script that is not ours, go against its
 * content security policy, ask another server for anything, or tell the console of an error.
 */
export async function open(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MILLISECONDS);
  const wrong = [];
  page.on('pageerror', (error) => wrong.push(`error: ${error.message}`));
  page.on('dialog', (dialog) => {
    wrong.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on('console', (message) => {
    // The browser tells of each answer that is a failure. Those are looked at by who asks.
    if (!message.text().startsWith('Failed to load resource: the server responded with a status of')) {
      wrong.push(`console: ${message.text()}`);
    }
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(`${server}/`)) wrong.push(`request: ${request.url()}`);
  });
  await page.exposeFunction('reportViolation', (violation) => wrong.push(violation));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) =>
      window.reportViolation(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
  });
  const check = async () => {
    assert.equal(await page.evaluate(() => window.hacked), undefined, 'a script ran that is not ours');
    assert.deepEqual(wrong, []);
  };
  return { page, check };
}

/** The texts of a column of the table, from the top, of those rows that are shown. */
export function column(page, header) {
  return page.evaluate((header) => {
    const table = document.querySelector('table');
    const at = Array.from(table.tHead.rows[0].cells).findIndex((cell) => cell.textContent === header);
    return Array.from(table.tBodies[0].rows).filter((row) => !row.hidden).map((row) => row.cells[at].textContent);
  }, header);
}

/** Whether a page can be moved sideways, but for what has a scroller of its own. */
export function movesSideways(page) {
  return page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
}

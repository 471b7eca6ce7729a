// What a query, a pod or a link says is text, whatever it looks like.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { column, launch, movesSideways, open, server } from './browser.mjs';

const SCRIPT = '<script>window.hacked = 1</script>';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

/** That the page has the elements that it was given by us, and what was said in it is in none of them. */
async function checkElements(page) {
  assert.deepEqual(await page.evaluate(() => ({
    foreign: document.querySelectorAll('img, svg, iframe, object, embed, base, link, body script:not(:last-child)').length,
    handlers: Array.from(document.querySelectorAll('*')).filter((element) =>
      element.getAttributeNames().some((name) => name.startsWith('on') || name === 'style' || name === 'autofocus')).length,
    bodies: document.body.children.length <= 2,
    leads: Array.from(document.querySelectorAll('a'), (link) => link.origin).every((origin) => origin === location.origin),
  })), { foreign: 0, handlers: 0, bodies: true, leads: true });
}

test('words in rows are words, sorted and filtered too', async () => {
  const { page, check } = await open(browser);
  await page.goto(`${server}/v1/queries/hostile/run?say=${encodeURIComponent(`${SCRIPT}"'`)}`);
  await checkElements(page);
  const before = await column(page, 'WORDS');
  assert.equal(before.length, 8);
  assert.equal(before[0], `</td></table>${SCRIPT}`);
  // It is told by its name, so that it turns nothing around; what is written from the right by itself is as it is.
  assert.equal(before[6], '\\u{202e}txet\\u{2066} שלום \\u{200f}<b>');
  assert.equal(before[7], `${SCRIPT}"'`);
  await page.getByRole('button', { name: 'WORDS' }).click();
  await page.getByRole('searchbox').fill('<img src=x onerror="window.hacked = 1">');
  assert.deepEqual(await column(page, 'WORDS'), [before[1]]);
  await page.getByRole('button', { name: 'WORDS' }).hover();
  await page.getByText('Columns', { exact: true }).click();
  await checkElements(page);
  await check();
});

test('words of a description are words', async () => {
  const { page, check } = await open(browser);
  await page.goto(`${server}/`);
  await checkElements(page);
  const form = page.getByRole('form', { name: 'hostile' });
  assert.equal(await form.getByLabel('quoted').getAttribute('placeholder'), '" autofocus onfocus="window.hacked=1" x="');
  await form.getByLabel('quoted').focus();
  await form.getByLabel('say').fill(SCRIPT);
  await form.getByRole('button').click();
  await page.getByRole('heading', { name: `</title>${SCRIPT}`, level: 1 }).waitFor();
  assert.equal(await page.title(), `</title>${SCRIPT}`);
  await check();
});

test('words of a failure are words, on its page and in its report', async () => {
  const { page, check } = await open(browser);
  for (const [target, told] of [
    [`echo/run?integer=${encodeURIComponent(SCRIPT)}`, SCRIPT],
    [`echo/run?${encodeURIComponent(SCRIPT)}=1`, SCRIPT],
    ['hostile/run?say=x&fail=true', '<img src=x onerror="window.hacked = 1">'],
  ]) {
    await page.goto(`${server}/v1/queries/${target}`);
    assert.ok(await page.getByText(told).isVisible());
    await checkElements(page);
  }
  await page.getByRole('link', { name: 'The run\'s report' }).click();
  await page.getByRole('heading', { name: 'A run of hostile' }).waitFor();
  assert.ok(await page.getByText('<img src=x onerror="window.hacked = 1">').isVisible());
  await checkElements(page);
  await check();
});

test('an address that is no name is no script', async () => {
  const { page, check } = await open(browser);
  const link = encodeURIComponent(`"><img src=x onerror="window.hacked=1">`);
  for (const path of [`/${link}`, `/v1/queries/${link}/run`, `/v1/runs/${link}`, `/?${link}#${link}`]) {
    await page.goto(`${server}${path}`);
    await checkElements(page);
  }
  await check();
});

test('a policy within a page of answers holds where no header does', async () => {
  const { page, check } = await open(browser);
  await page.goto(`${server}/v1/queries/echo/run`);
  const html = await (await page.request.get(`${server}/v1/queries/echo/run`, { headers: { accept: 'text/html' } })).text();
  // As one that was kept, and that somebody has added to.
  const page2 = await page.context().newPage();
  await page2.setContent(html.replace('</main>', `<img src=x onerror="window.hacked=1">${SCRIPT}</main>`));
  assert.equal(await page2.evaluate(() => window.hacked), undefined);
  await page2.getByRole('button', { name: 'INTEGER' }).click();
  assert.equal(await page2.locator('th[aria-sort]').count(), 1);
  await check();
});

test('a long word moves no page', async () => {
  const { page } = await open(browser, { viewport: { width: 375, height: 700 } });
  const word = 'x'.repeat(2000);
  for (const target of [`echo/run?text=${word}`, `echo/run?integer=${word}`, 'hostile/run?say=x&fail=true']) {
    await page.goto(`${server}/v1/queries/${target}`);
    assert.equal(await movesSideways(page), false, target);
  }
});

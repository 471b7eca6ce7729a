// A table of answers: sorted and filtered where scripts run, and a plain table where none do.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { column, launch, open, server } from './browser.mjs';

const ANSWER = `${server}/v1/queries/all-types/run?hostile=true`;
const NAMES = ['web-10', 'web-9', 'api-日本', 'dns.1', 'job', 'db\\u{1b}[2J\\u{a}x'];

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

test('a column is sorted by its type, up, down, and as it came', async () => {
  const { page, check } = await open(browser);
  await page.goto(ANSWER);
  // What has no value is last either way.
  for (const [header, up, down] of [
    // Beyond what a double can tell apart.
    ['RESTARTS', ['-9223372036854775808', '0', '3', '3', '12', '<none>'], ['12', '3', '3', '0', '-9223372036854775808', '<none>']],
    ['RATIO', ['-0', '1.25e-5', '0.25', '3', '1e21', '<none>'], ['1e21', '3', '0.25', '1.25e-5', '-0', '<none>']],
    ['READY', ['false', 'false', 'true', 'true', 'true', '<none>'], ['true', 'true', 'true', 'false', 'false', '<none>']],
    [
      'STARTED',
      ['1969-12-31T23:59:59Z', '1970-01-01T00:00:00Z', '2023-11-14T22:13:20Z', '2026-01-02T03:04:05Z', '9999-12-31T23:59:59Z', '<none>'],
      ['9999-12-31T23:59:59Z', '2026-01-02T03:04:05Z', '2023-11-14T22:13:20Z', '1970-01-01T00:00:00Z', '1969-12-31T23:59:59Z', '<none>'],
    ],
  ]) {
    const cell = page.getByRole('columnheader', { name: header, exact: true });
    const button = cell.getByRole('button');
    assert.equal(await cell.getAttribute('aria-sort'), null);
    await button.click();
    assert.equal(await cell.getAttribute('aria-sort'), 'ascending');
    assert.deepEqual(await column(page, header), up);
    await button.click();
    assert.equal(await cell.getAttribute('aria-sort'), 'descending');
    assert.deepEqual(await column(page, header), down);
    await button.click();
    assert.equal(await cell.getAttribute('aria-sort'), null);
    assert.deepEqual(await column(page, 'NAME'), NAMES);
  }
  await check();
});

test('texts are sorted as people count, and one column at a time', async () => {
  const { page } = await open(browser, { locale: 'en-US' });
  await page.goto(ANSWER);
  await page.getByRole('button', { name: 'RATIO' }).click();
  await page.getByRole('button', { name: 'NAME', exact: true }).click();
  assert.deepEqual(await column(page, 'NAME'), ['api-日本', 'db\\u{1b}[2J\\u{a}x', 'dns.1', 'job', 'web-9', 'web-10']);
  assert.equal(await page.locator('th[aria-sort]').count(), 1);
});

test('the keyboard reaches and sorts a column', async () => {
  const { page } = await open(browser);
  await page.goto(ANSWER);
  const cell = page.getByRole('columnheader', { name: 'RESTARTS' });
  const focused = () => page.evaluate(() => document.activeElement.textContent);
  for (let presses = 0; presses < 10 && await focused() !== 'RESTARTS'; presses += 1) {
    await page.keyboard.press('Tab');
  }
  assert.equal(await focused(), 'RESTARTS');
  const outline = await cell.getByRole('button').evaluate((button) => getComputedStyle(button).outlineStyle);
  assert.equal(outline, 'solid');
  await page.keyboard.press('Enter');
  assert.equal(await cell.getAttribute('aria-sort'), 'ascending');
  await page.keyboard.press('Space');
  assert.equal(await cell.getAttribute('aria-sort'), 'descending');
  assert.equal((await column(page, 'RESTARTS'))[0], '12');
});

test('a filter leaves the rows that have the words, and says how many', async () => {
  const { page, check } = await open(browser);
  await page.goto(ANSWER);
  const filter = page.getByRole('searchbox', { name: 'Filter rows' });
  const count = page.getByRole('status');
  assert.equal(await count.textContent(), '6 rows');
  await filter.fill('WEB-');
  assert.deepEqual([await column(page, 'NAME'), await count.textContent()], [['web-10', 'web-9'], '2 of 6 rows']);
  await page.getByRole('button', { name: 'RESTARTS' }).click();
  assert.deepEqual(await column(page, 'NAME'), ['web-9', 'web-10']);
  await filter.fill('<script>');
  assert.equal(await count.textContent(), '1 of 6 rows');
  await filter.fill('nothing has this');
  assert.equal(await count.textContent(), '0 of 6 rows');
  await filter.fill('');
  assert.equal(await count.textContent(), '6 rows');
  await check();
});

test('without scripts it is a plain table, with nothing that would not work', async () => {
  const { page } = await open(browser, { javaScriptEnabled: false });
  await page.goto(ANSWER);
  assert.equal(await page.getByRole('row').count(), 7);
  assert.equal(await page.getByRole('button').count(), 0);
  assert.equal(await page.getByRole('searchbox').count(), 0);
  assert.ok(await page.getByRole('columnheader', { name: 'RESTARTS' }).isVisible());
  await page.getByText('Columns', { exact: true }).click();
  assert.ok(await page.getByText('How often it was restarted').isVisible());
});

test('an answer without rows says so', async () => {
  const { page, check } = await open(browser);
  await page.goto(`${server}/v1/queries/restarts/run?min=1000`);
  assert.ok(await page.getByText('No rows found.').isVisible());
  assert.equal(await page.getByRole('status').textContent(), '0 rows');
  assert.equal(await page.getByRole('searchbox').count(), 0);
  await page.getByRole('button', { name: 'RESTARTS' }).click();
  await check();
});

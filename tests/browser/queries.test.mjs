// The list of queries, their forms, and what comes of them.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, open, server } from './browser.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? 'with scripts' : 'without scripts';

  test(`a tenant is shown its own queries, ${how}`, async () => {
    const { page } = await open(browser, { javaScriptEnabled });
    await page.goto(`${server}/`);
    assert.deepEqual(await page.getByRole('heading', { level: 2 }).allTextContents(), ['all-types', 'echo', 'hostile', 'missing', 'restarts']);
    assert.ok(await page.getByText('this query is not ready to run').isVisible());
    assert.equal((await page.content()).includes('pod-names'), false, 'it is another tenant\'s');
  });

  test(`a form is filled in by names and kinds, and sent, ${how}`, async () => {
    const { page } = await open(browser, { javaScriptEnabled });
    await page.goto(`${server}/`);
    const form = page.getByRole('form', { name: 'echo' });
    await form.getByRole('textbox', { name: 'text' }).fill('ein "Wort" & <mehr>, 日本');
    await form.getByRole('spinbutton', { name: 'integer' }).fill('-9007199254740993');
    await form.getByRole('spinbutton', { name: 'number' }).fill('0.25');
    await form.getByRole('combobox', { name: 'boolean' }).selectOption('true');
    await form.getByRole('button', { name: 'Run' }).click();
    await page.getByRole('heading', { name: 'Echo', level: 1 }).waitFor();
    assert.deepEqual(await page.getByRole('cell').allTextContents(), ['ein "Wort" & <mehr>, 日本', '-9007199254740993', '0.25', 'true']);
    await page.getByRole('link', { name: 'All queries' }).click();
    assert.equal(page.url(), `${server}/`);
  });

  test(`an empty form runs with what the query has as defaults, ${how}`, async () => {
    const { page } = await open(browser, { javaScriptEnabled });
    await page.goto(`${server}/`);
    const min = page.getByLabel('min');
    assert.deepEqual([await min.getAttribute('placeholder'), await min.inputValue()], ['1', '']);
    await page.getByRole('form', { name: 'restarts' }).getByRole('button').click();
    await page.getByRole('columnheader', { name: 'RESTARTS' }).waitFor();
    assert.equal(await page.getByRole('row').count(), 4);
    // And by the keyboard: Enter sends a form.
    await page.goBack();
    await page.getByLabel('min').fill('10');
    await page.getByLabel('min').press('Enter');
    await page.getByRole('columnheader', { name: 'RESTARTS' }).waitFor();
    assert.equal(await page.getByRole('row').count(), 3);
  });

  test(`an answer leads to the report of its run, ${how}`, async () => {
    const { page } = await open(browser, { javaScriptEnabled });
    await page.goto(`${server}/v1/queries/restarts/run`);
    await page.getByRole('link', { name: 'The run\'s report' }).click();
    await page.getByRole('heading', { name: 'A run of restarts', level: 1 }).waitFor();
    assert.equal(await page.getByRole('row', { name: 'Outcome' }).getByRole('cell').textContent(), 'ok');
    assert.deepEqual(await page.getByRole('row', { name: 'max-rows' }).getByRole('cell').allTextContents(), ['3', '50,000']);
    await page.getByRole('link', { name: 'Run it again' }).click();
    assert.equal(page.url(), `${server}/#restarts`);
  });
}

test('a list and a report do nothing that a page may not', async () => {
  const { page, check } = await open(browser);
  await page.goto(`${server}/`);
  await page.goto(`${server}/v1/queries/restarts/run`);
  await page.getByRole('link', { name: 'The run\'s report' }).click();
  await page.getByRole('heading', { name: 'Budget' }).waitFor();
  await check();
});

test('what is required is asked for by the browser, and told by the server where it is not given', async () => {
  const { page, check } = await open(browser);
  await page.goto(`${server}/`);
  const form = page.getByRole('form', { name: 'hostile' });
  const say = form.getByLabel('say');
  assert.ok(await say.evaluate((field) => field.required && !field.validity.valid));
  await form.getByRole('button').click();
  assert.equal(page.url(), `${server}/`);
  const answer = await page.goto(`${server}/v1/queries/hostile/run`);
  assert.equal(answer.status(), 400);
  await page.getByRole('heading', { name: 'There is no answer', level: 1 }).waitFor();
  assert.ok(await page.getByText('parameter `say` is missing, expected text').isVisible());
  await page.getByRole('link', { name: 'All queries' }).click();
  assert.equal(page.url(), `${server}/`);
  await check();
});

test('every field has a name, a help, and one place in the order of keys', async () => {
  const { page } = await open(browser);
  await page.goto(`${server}/`);
  const fields = page.locator('input, select');
  assert.ok(await fields.count() >= 8);
  for (const field of await fields.all()) {
    const { name, help } = await field.evaluate((field) => ({
      name: field.labels[0]?.textContent,
      help: document.getElementById(field.getAttribute('aria-describedby'))?.textContent,
    }));
    assert.ok(name && help, await field.evaluate((field) => field.outerHTML));
  }
  const reached = [];
  for (let presses = 0; presses < 4; presses += 1) {
    await page.keyboard.press('Tab');
    reached.push(await page.evaluate(() => document.activeElement.id || document.activeElement.textContent));
  }
  assert.deepEqual(reached, ['all-types-hostile', 'Run', 'What it is, as JSON', 'echo-text']);
});

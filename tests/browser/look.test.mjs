// How pages look, as far as it can be measured: contrast, widths, the schemes of colours, and paper.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, movesSideways, open, server } from './browser.mjs';

const PAGES = [
  '/',
  '/v1/queries/all-types/run?hostile=true',
  '/v1/queries/restarts/run',
  '/v1/queries/restarts/run?min=1000',
  '/v1/queries/hostile/run?say=x',
  '/v1/queries/hostile/run?say=x&fail=true',
  '/v1/queries/echo/run?integer=x',
];

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

/** Goes to each page, and to the report of a run that failed. */
async function forEachPage(page, look) {
  for (const path of PAGES) {
    await page.goto(`${server}${path}`);
    await look(path);
    if (path.includes('fail=true')) {
      // On paper there is no link to click.
      await page.goto(await page.locator('a[href^="/v1/runs/"]').evaluate((link) => link.href));
      await look('a report');
    }
  }
}

/** What is harder to read than WCAG 2.2 has it: 4.5 to 1 for text (1.4.3), 3 to 1 for the edge of a field (1.4.11). */
function faint(page) {
  return page.evaluate(() => {
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const rgba = (color) => {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = color;
      canvas.fillRect(0, 0, 1, 1);
      return Array.from(canvas.getImageData(0, 0, 1, 1).data);
    };
    const luminance = (color) => {
      const [red, green, blue] = rgba(color).slice(0, 3).map((value) => {
        const part = value / 255;
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const contrast = (one, two) => {
      const [dark, light] = [luminance(one), luminance(two)].sort((left, right) => left - right);
      return (light + 0.05) / (dark + 0.05);
    };
    const ground = (element) => {
      for (let at = element; at !== null; at = at.parentElement) {
        const color = getComputedStyle(at).backgroundColor;
        if (rgba(color)[3] === 255) return color;
      }
      return 'white';
    };
    const found = [];
    const look = (what, element, color, least) => {
      const ratio = contrast(color, ground(element));
      if (ratio < least) found.push(`${what} of ${element.outerHTML.slice(0, 80)}: ${ratio.toFixed(2)}`);
    };
    for (const element of document.body.querySelectorAll('*')) {
      if (!element.checkVisibility() || element.matches('script, option')) continue;
      const has = Array.from(element.childNodes).some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim() !== '');
      if (has) look('text', element, getComputedStyle(element).color, 4.5);
      if (element.matches('input, select')) {
        look('edge', element, getComputedStyle(element).borderTopColor, 3);
        look('value', element, getComputedStyle(element).color, 4.5);
        look('placeholder', element, getComputedStyle(element, '::placeholder').color, 4.5);
      }
    }
    return found;
  });
}

for (const colorScheme of ['light', 'dark']) {
  test(`all can be read, ${colorScheme}`, async () => {
    const { page, check } = await open(browser, { colorScheme });
    await forEachPage(page, async (path) => {
      assert.deepEqual(await faint(page), [], path);
      const [red] = await page.evaluate(() => getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number));
      assert.equal(red > 128, colorScheme === 'light', path);
    });
    await check();
  });
}

for (const width of [375, 768, 1280, 2560]) {
  test(`no page moves sideways, ${width} pixels wide`, async () => {
    const { page } = await open(browser, { viewport: { width, height: 700 } });
    await forEachPage(page, async (path) => assert.equal(await movesSideways(page), false, path));
    // The table does, where it is wider, and by the keyboard too.
    await page.goto(`${server}${PAGES[1]}`);
    const table = page.getByRole('region', { name: 'All types' });
    if (width < 768) {
      await table.focus();
      await page.keyboard.press('ArrowRight');
      await page.waitForFunction(() => document.querySelector('.scroll').scrollLeft > 0);
    }
  });
}

test('a finger hits a button and a field', async () => {
  const { page } = await open(browser, { viewport: { width: 375, height: 700 }, hasTouch: true, isMobile: true });
  await page.goto(`${server}/`);
  for (const target of await page.locator('button, input, select').all()) {
    const { height } = await target.boundingBox();
    // WCAG 2.2, 2.5.8.
    assert.ok(height >= 24, `${await target.evaluate((element) => element.outerHTML)} is ${height} high`);
  }
});

test('numbers stand under each other, and under their header', async () => {
  const { page } = await open(browser);
  await page.goto(`${server}${PAGES[2]}`);
  await page.getByRole('link', { name: 'The run\'s report' }).click();
  for (const [at, cells] of [[1, page.locator('tr > .number:nth-child(2)')], [2, page.locator('tr > .number:nth-child(3)')]]) {
    const edges = await cells.evaluateAll((cells) => cells.map((cell) => {
      const range = document.createRange();
      range.selectNodeContents(cell);
      return Math.round(range.getBoundingClientRect().right);
    }));
    assert.ok(edges.length > 5 && edges.every((edge) => edge === edges[0]), `column ${at}: ${edges}`);
  }
});

test('paper has the whole table, dark on white, and nothing to press', async () => {
  const { page } = await open(browser, { colorScheme: 'light' });
  await page.emulateMedia({ media: 'print' });
  await forEachPage(page, async (path) => assert.deepEqual(await faint(page), [], path));
  await page.goto(`${server}${PAGES[1]}`);
  assert.equal(await page.getByRole('searchbox').count(), 0);
  const table = await page.locator('.scroll').evaluate((scroller) => [getComputedStyle(scroller).overflow, getComputedStyle(scroller).maxHeight]);
  assert.deepEqual(table, ['visible', 'none']);
  assert.ok((await page.pdf()).length > 1000);
});

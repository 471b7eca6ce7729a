// A web page of another server can neither show, nor ask, nor read anything. `main.rs` looks into the audit log after it.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { health, launch, server } from './browser.mjs';

const RUN = `${server}/v1/queries/restarts/run`;

let browser;
let other;
before(async () => {
  browser = await launch();
  other = createServer((_, response) => {
    response.setHeader('Content-Type', 'text/html');
    response.end('<!doctype html><title>Another</title>');
  });
  await new Promise((resolve) => other.listen(0, '127.0.0.1', resolve));
});
after(async () => {
  await browser.close();
  other.close();
});

/** How many requests were turned away as another page's. */
async function turnedAway() {
  const metrics = await (await fetch(`${health}/metrics`)).text();
  return Number(/^podlens_http_rejected_total\{reason="origin"\} (\d+)/m.exec(metrics)?.[1] ?? 0);
}

// One that is of the same site, and one that is of another: a port makes an origin, and a name a site.
for (const name of ['localhost', '127.0.0.1']) {
  test(`a page of http://${name} on another port gets nothing`, async () => {
    const page = await (await browser.newContext()).newPage();
    await page.goto(`http://${name}:${other.address().port}/`);
    const before = await turnedAway();

    const fetched = await page.evaluate(async (url) => {
      const told = [];
      for (const [method, mode, headers] of [
        ['GET', 'cors', {}],
        ['GET', 'no-cors', {}],
        ['POST', 'no-cors', { 'Content-Type': 'text/plain' }],
        ['POST', 'cors', { 'Content-Type': 'application/json' }],
      ]) {
        const body = method === 'POST' ? '{"parameters": {"min": 1}}' : undefined;
        try {
          const answer = await fetch(url, { method, mode, headers, body, credentials: 'include' });
          told.push([answer.type, answer.status, await answer.text()].join());
        } catch (error) {
          told.push(error.name);
        }
      }
      return told;
    }, RUN);
    // One that cannot be read may be given, if there is nothing in it; and `Cross-Origin-Resource-Policy` has the browser keep even that.
    assert.deepEqual(fetched.filter((told) => told !== 'TypeError' && told !== 'opaque,0,'), []);

    // As an image, a style and a script.
    const loaded = await page.evaluate((url) => Promise.all(['img', 'link', 'script'].map((name) => new Promise((resolve) => {
      const element = document.createElement(name);
      element.onload = () => resolve(`${name} is there`);
      element.onerror = () => resolve('nothing');
      if (name === 'link') element.rel = 'stylesheet';
      element[name === 'link' ? 'href' : 'src'] = url;
      document.head.append(element);
    }))), RUN);
    assert.deepEqual(loaded, ['nothing', 'nothing', 'nothing']);

    // In a frame, by an address and by a form.
    for (const [method, url] of [['get', `${server}/`], ['get', RUN], ['post', RUN]]) {
      await page.evaluate(([method, url]) => new Promise((resolve) => {
        const frame = document.createElement('iframe');
        frame.name = 'framed';
        const form = document.createElement('form');
        Object.assign(form, { method, action: url, target: 'framed', enctype: 'text/plain' });
        form.innerHTML = '<input name=\'{"parameters": {}, "x": "\' value=\'"}\'>';
        document.body.replaceChildren(frame, form);
        frame.addEventListener('load', resolve);
        form.submit();
        setTimeout(resolve, 1000);
      }), [method, url]);
      // Found anew each time it moves: one of another site goes on in another process, and what was there is closed.
      assert.doesNotMatch(await page.frameLocator('iframe').locator('body').innerText(), /Queries|restarts|NAMESPACE/);
    }
    const [frame] = await page.evaluate(() => {
      try {
        return [document.querySelector('iframe').contentDocument?.body?.innerText ?? 'out of reach'];
      } catch (error) {
        return [error.name];
      }
    });
    assert.doesNotMatch(frame, /Queries|restarts/);

    // As a window: what comes is a refusal, and it leads on by itself alone.
    for (const method of ['get', 'post']) {
      const [opened] = await Promise.all([
        page.waitForEvent('popup'),
        page.evaluate(([method, url]) => {
          const form = document.createElement('form');
          Object.assign(form, { method, action: url, target: '_blank', enctype: 'text/plain' });
          form.setAttribute('rel', 'opener');
          document.body.replaceChildren(form);
          form.submit();
        }, [method, RUN]),
      ]);
      await opened.waitForLoadState();
      assert.match(await opened.locator('body').innerText(), /There is no answer\s+403 Forbidden/);
      await opened.close();
    }
    assert.ok(await turnedAway() >= before + 8, 'the browser has asked, and was turned away');
  });
}

test('a page of the server itself gets what it asks for', async () => {
  const page = await (await browser.newContext()).newPage();
  await page.goto(`${server}/`);
  await page.getByRole('form', { name: 'restarts' }).getByRole('button').click();
  await page.getByRole('columnheader', { name: 'RESTARTS' }).waitFor();
});

/**
 * Write query components for podlens in JavaScript: the contract of `wit/`, made comfortable.
 *
 * A query lists pods with `pods`, or gets one with `get`, and answers with rows. It has no network, no files and no
 * environment; what it prints with `console.log` becomes log lines of the host.
 */

import { get as getPod, list } from 'podlens:query/pods@0.1.0';
import { emit } from 'podlens:query/rows@0.1.0';
import { getStderr } from 'wasi:cli/stderr@0.2.0';
import { getStdout } from 'wasi:cli/stdout@0.2.0';

/**
 * A column or a parameter.
 *
 * Of a column: `priority` 0 is in the ordinary table, a higher number in wide output only; `metric` calls a number a
 * measurement that can be watched over time. Of a parameter: `default` is its value where the operator gives none,
 * `required` refuses a run without one.
 *
 * @typedef {{ priority?: number, metric?: boolean, default?: unknown, required?: boolean }} Options
 */
const kind = (type) => (/** @type {string} */ description, /** @type {Options} */ options = {}) => ({ type, description, ...options });

export const text = kind('text');
export const integer = kind('integer');
export const number = kind('number');
export const boolean = kind('boolean');
/** A column only: seconds since 1970 or a `Date`. A table shows the time that has passed since. */
export const time = kind('time');

/**
 * Makes the exports of a query: `export const { describe, run } = query({ … });`.
 *
 * `rows` is a generator that is told the parameters by name and yields each row as an array, a value for each column.
 * `undefined` and `null` make an empty cell. An error that it throws ends the run; one of `pods` and `get` tells the
 * operator why. `error.payload` has its case, such as `{ tag: 'expired' }`.
 */
export function query({ title, summary, columns, parameters = {}, rows }) {
  const kinds = Object.entries(columns).map(([name, { type }]) => ({ name, type }));
  return {
    describe: () => ({
      title,
      summary,
      columns: Object.entries(columns).map(([name, { priority = 0, metric = false, ...column }]) => ({ name, priority, metric, ...column })),
      parameters: Object.entries(parameters).map(([name, { type, description, default: value, required = false }]) => ({
        name, type, default: value?.toString(), required, help: description,
      })),
    }),
    run(told) {
      try {
        for (const row of rows(Object.fromEntries(told.map(parameter)))) emit(cells(kinds, row));
      } catch (error) {
        // Errors of the contract, most of them the host's own, pass as they came.
        throw error?.payload ? error : { tag: 'other', val: explained(error) };
      }
    },
  };
}

/**
 * The pods that the run is granted, or some of them, ordered by the text `namespace/name` as bytes.
 *
 * A pod is given back to the host when the loop goes on to the next one: keep what you read of it, not the pod.
 *
 * @param {{ namespace?: string, labelSelector?: string, fieldSelector?: string, objects?: boolean }} options
 *   as in `list-options` of `wit/pods.wit`
 */
export function* pods(options = {}) {
  for (const [name, value] of Object.entries(options)) {
    const expected = name === 'objects' ? 'boolean' : 'string';
    if (value !== undefined && value !== null) expect(`the option \`${name}\` of \`pods\``, expected, value);
  }
  using pages = list({ objects: false, ...options });
  for (let page; (page = pages.next()); ) {
    try {
      while (page.length) {
        using pod = page.shift();
        yield pod;
      }
    } finally {
      // Of a loop that was left early.
      for (const pod of page) pod[Symbol.dispose]();
    }
  }
}

/** One pod by name. It counts towards the run's memory until it is given back: `using pod = get(namespace, name);`. */
export function get(namespace, name, { objects = false } = {}) {
  expect('the namespace of `get`', 'string', namespace);
  expect('the name of `get`', 'string', name);
  return getPod(namespace, name, objects);
}

/** The engine ends the run where it is given another type, and does not say in which line. */
function expect(what, expected, value) {
  if (typeof value !== expected) throw new TypeError(`${what} takes a ${expected}, not a ${typeof value}`);
}

/** Name and value. An integer of the contract has 64 bits: one that a number does not hold has come as another one. */
function parameter({ name, value: { tag, val } }) {
  if (tag === 'integer' && !Number.isSafeInteger(val)) {
    const payload = { tag: 'invalid-argument', val: `the parameter \`${name}\` takes ${SAFE} from a query in JavaScript` };
    throw Object.assign(new RangeError(payload.val), { payload });
  }
  return [name, val];
}

const SAFE = 'whole numbers between -(2^53 - 1) and 2^53 - 1';

function cells(kinds, row) {
  if (row.length !== kinds.length) throw new Error(`a row has ${row.length} values, for ${kinds.length} columns`);
  return kinds.map(({ name, type }, index) => cell(name, type, row[index]));
}

/** Nothing is converted: what the component would pass on is another value. */
function cell(name, type, value) {
  if (value === undefined || value === null) return { tag: 'none' };
  if (type === 'integer') return { tag: type, val: exact(name, type, value) };
  if (type === 'time') {
    return { tag: type, val: exact(name, type, value instanceof Date ? Math.floor(value.getTime() / 1000) : value) };
  }
  expect(`the ${type} column \`${name}\``, type === 'text' ? 'string' : type, value);
  // Half of a surrogate pair, as a text has that was cut, is no Unicode: it becomes U+FFFD.
  return { tag: type, val: type === 'text' ? value.toWellFormed() : value };
}

/** The integer as a number, or an error where the value is none or has more bits than a number holds. */
function exact(name, type, value) {
  if (Number.isSafeInteger(value)) return value;
  if (typeof value !== 'bigint' && !Number.isInteger(value)) {
    const given = typeof value === 'number' ? value : `a ${typeof value}`;
    throw new TypeError(`the ${type} column \`${name}\` takes a whole number, not ${given}`);
  }
  if (!Number.isSafeInteger(Number(value))) throw new RangeError(`the ${type} column \`${name}\` takes ${SAFE}, not ${value}`);
  return Number(value);
}

/** What an error says, and where it was thrown. */
function explained(error) {
  const frames = error?.stack?.split('\n').map((line) => line.trim()) ?? [];
  const place = frames.find((frame) => frame.startsWith('at ') && !/podlens\.js|\(native\)/.test(frame));
  return place ? `${error} (${place})` : `${error}`;
}

/** The most that a stream takes in one call. */
const MOST_BYTES = 4096;

/** A function that prints its arguments, and a line's end, to a stream. */
const printer = (stream) => (...values) => {
  const bytes = utf8(`${values.map(shown).join(' ')}\n`);
  const out = stream();
  for (let start = 0; start < bytes.length; start += MOST_BYTES) {
    out.blockingWriteAndFlush(bytes.subarray(start, start + MOST_BYTES));
  }
};

/** As a developer wants to read it: a text as it is, an error with its stack, anything else as JSON if it can be. */
function shown(value) {
  if (value instanceof Error) return `${value}\n${value.stack}`.trimEnd();
  if (typeof value !== 'object') return String(value);
  try {
    return JSON.stringify(value);
  } catch {
    return String(value);
  }
}

/** The engine has no `TextEncoder`. */
const utf8 = (text) => Uint8Array.from(unescape(encodeURIComponent(text.toWellFormed())), (byte) => byte.charCodeAt(0));

const [toStdout, toStderr] = [printer(getStdout), printer(getStderr)];
globalThis.console = { log: toStdout, info: toStdout, debug: toStdout, warn: toStderr, error: toStderr };

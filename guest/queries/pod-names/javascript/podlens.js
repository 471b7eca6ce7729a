/**
 * Write query components for podlens in JavaScript: the contract of `wit/`, made comfortable.
 *
 * A query lists pods with `pods`, or gets one with `get`, and answers with rows. It has no network, no files and no
 * environment; what it prints with `console.log` becomes log lines of the host.
 */

import { get as getPod, list } from 'podlens:query/pods@0.1.0';
import { emit } from 'podlens:query/rows@0.1.0';

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
        for (const row of rows(Object.fromEntries(told.map(({ name, value }) => [name, plain(value.val)])))) {
          emit(cells(kinds, row));
        }
      } catch (error) {
        // The host's own errors pass as they came.
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
export const get = (namespace, name, { objects = false } = {}) => getPod(namespace, name, objects);

/** A plain number where it is exact: the contract's integers have 64 bits. */
const plain = (value) => (typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value);

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
  const expected = type === 'text' ? 'string' : type;
  if (typeof value !== expected) throw new TypeError(`the ${type} column \`${name}\` takes a ${expected}, not a ${typeof value}`);
  return { tag: type, val: value };
}

/** A 64-bit integer, or an error where the value is none. */
function exact(name, type, value) {
  if (typeof value !== 'bigint' && !Number.isInteger(value)) {
    const given = typeof value === 'number' ? value : `a ${typeof value}`;
    throw new TypeError(`the ${type} column \`${name}\` takes a whole number or a bigint, not ${given}`);
  }
  const integer = BigInt(value);
  if (BigInt.asIntN(64, integer) !== integer) throw new RangeError(`the column \`${name}\` takes 64 bits, and ${integer} has more`);
  return integer;
}

/** What an error says, and where it was thrown. */
function explained(error) {
  const place = error?.stack?.split('\n').find((line) => line && !line.includes('podlens.js'));
  return place ? `${error} (${place})` : `${error}`;
}

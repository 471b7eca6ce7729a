// What an SDK has to be able to do, one thing for each value of the parameter `what`.

import { boolean, get, integer, number, pods, query, text, time } from './podlens.js';

const nothing = [null, undefined, null, null, null];

export const { describe, run } = query({
  title: 'Workout',
  summary: 'What an SDK has to be able to do',
  columns: {
    text: text('A text'),
    integer: integer('An integer', { metric: true }),
    number: number('A number'),
    boolean: boolean('A boolean', { priority: 2 }),
    time: time('A time'),
  },
  parameters: {
    what: text('What to do', { required: true }),
    'a-number': number('A number', { default: 0.5 }),
    flag: boolean('A boolean', { default: false }),
    big: integer('A large integer', { default: Number.MAX_SAFE_INTEGER }),
    left: text('A text that nobody gives'),
  },

  *rows(told) {
    if (told.what in refused) yield refused[told.what];
    else yield* does[told.what](told);
  },
});

// Rows of another type than their column: one that is converted in silence is a wrong answer.
const refused = {
  'text: number': [1, null, null, null, null],
  'integer: fraction': [null, 1.5, null, null, null],
  'integer: huge': [null, 9223372036854775808n, null, null, null],
  'integer: text': [null, '12', null, null, null],
  'integer: empty': [null, '', null, null, null],
  'integer: spaced': [null, ' 12 ', null, null, null],
  'integer: boolean': [null, true, null, null, null],
  'number: text': [null, null, '3', null, null],
  'number: boolean': [null, null, true, null, null],
  'boolean: number': [null, null, null, 1, null],
  'boolean: text': [null, null, null, 'true', null],
  'time: text': [null, null, null, null, '0'],
  'time: boolean': [null, null, null, null, true],
  'time: fraction': [null, null, null, null, 1.5],
  'time: no time': [null, null, null, null, new Date('never')],
};

const does = {
  *cells({ 'a-number': number, flag, big, left }) {
    yield ['é\u0000😀', big, number, flag, new Date('2026-01-02T03:04:05.999Z')];
    yield [String(left ?? 'nothing'), -9007199254740991n, 3, true, -1];
    yield nothing;
  },
  *get() {
    using pod = get('shop', 'down');
    yield [pod.name(), pod.status().containers.length, null, pod.health().containers[0].state === 'terminated', null];
  },
  *missing() {
    try {
      get('shop', 'nobody');
    } catch ({ payload }) {
      yield [payload.tag, null, null, null, null];
    }
    get('shop', 'nobody');
  },
  // More often than lists may be open at once.
  *early() {
    for (let round = 0; round < 20; round++) {
      for (const pod of pods({ namespace: 'shop', fieldSelector: 'metadata.name!=bare' })) {
        yield [pod.name(), round, null, null, null];
        break;
      }
    }
  },
  *log() {
    console.log('to standard output');
    console.error('to standard error');
    if (Math.abs(Date.now() - 1e12) > 1e13) throw new Error('there is a clock');
  },
  *throws() {
    yield nothing;
    throw new RangeError('a reason');
  },
  // What this language's integers do not hold.
  *inexact() {
    yield [null, 2 ** 53, null, null, null];
  },
  *half() {
    yield ['😀'.slice(1), null, null, null, null];
  },
  *option() {
    for (const _ of pods({ namespace: 7 }));
  },
  *short() {
    yield ['too few'];
  },
  *invalid() {
    for (const _ of pods({ namespace: '..' }));
  },
};

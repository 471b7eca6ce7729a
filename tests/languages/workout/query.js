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
    big: integer('An integer that is not exact as a number', { default: '9007199254740993' }),
    left: text('A text that nobody gives'),
  },

  *rows(told) {
    yield* does[told.what](told);
  },
});

const does = {
  *cells({ 'a-number': number, flag, big, left }) {
    yield ['é\u0000😀', big, number, flag, new Date('2026-01-02T03:04:05.999Z')];
    yield [String(left ?? 'nothing'), -9223372036854775808n, 3, true, -1];
    yield nothing;
  },
  *get() {
    using pod = get('shop', 'down');
    yield [pod.name(), pod.status().containers.length, null, null, null];
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
  *short() {
    yield ['too few'];
  },
  *kind() {
    yield [1, null, null, null, null];
  },
  *fraction() {
    yield [null, 1.5, null, null, null];
  },
  *huge() {
    yield [null, 9223372036854775808n, null, null, null];
  },
  *invalid() {
    for (const _ of pods({ namespace: '..' }));
  },
};

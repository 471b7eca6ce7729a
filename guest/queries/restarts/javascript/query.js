// Containers that were restarted, and how they ended before. Shows a parameter, a metric, columns for wide output only, and a
// column of time.

import { integer, pods, query, text, time } from './podlens.js';

export const { describe, run } = query({
  title: 'Restarts',
  summary: 'Containers that were restarted, and how they ended before',
  columns: {
    namespace: text("The pod's namespace"),
    name: text("The pod's name"),
    container: text("The container's name"),
    restarts: integer('How often it was restarted', { metric: true }),
    lastReason: text('Why it ended the last time, such as OOMKilled'),
    exitCode: integer('The exit status of its process the last time'),
    lastEnd: time('When it ended the last time'),
    image: text('The image it runs', { priority: 1 }),
    lastMessage: text('What it left as termination message', { priority: 1 }),
  },
  parameters: { min: integer('The least number of restarts', { default: 1 }) },

  *rows({ min }) {
    for (const pod of pods()) {
      for (const { name, restarts, state, lastTermination, image } of pod.status().containers) {
        if (restarts < min) continue;
        // One that is down at this moment has its last end in its state.
        const last = state.tag === 'terminated' ? state.val : lastTermination;
        yield [
          pod.namespace(), pod.name(), name, restarts,
          last?.reason, last?.exitCode, last?.finished, image, last?.message,
        ];
      }
    }
  },
});

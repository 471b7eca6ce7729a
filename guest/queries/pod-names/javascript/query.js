// The namespace and name of each pod. The smallest query: one loop over `pods`.

import { pods, query, text } from './podlens.js';

export const { describe, run } = query({
  title: 'Pod names',
  summary: 'The namespace and name of each pod',
  columns: { namespace: text("The pod's namespace"), name: text("The pod's name") },

  *rows() {
    for (const pod of pods()) {
      yield [pod.namespace(), pod.name()];
    }
  },
});

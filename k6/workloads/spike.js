// Everybody at once, out of nothing, and then nobody: what comes back, and how soon, is in the latencies.
export default {
  seconds: 90,
  start: 0.5,
  stages: [
    { share: 0.3, to: 0.5 }, { share: 0.02, to: 8 }, { share: 0.2, to: 8 }, { share: 0.02, to: 0.5 },
    { share: 0.46, to: 0.5 },
  ],
  strict: false,
  slower: 15,
};

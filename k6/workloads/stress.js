// More than is promised, in steps: it may be slow and may say no, and must still be right.
export default {
  seconds: 300,
  start: 1,
  stages: [
    { share: 0.1, to: 2 }, { share: 0.2, to: 2 },
    { share: 0.1, to: 3 }, { share: 0.2, to: 3 },
    { share: 0.1, to: 4 }, { share: 0.2, to: 4 },
    { share: 0.1, to: 0.5 },
  ],
  strict: false,
  slower: 10,
};

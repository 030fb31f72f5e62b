// A busy day on two cores: what is promised, at the rates at which it is promised.
export default {
  seconds: 120,
  start: 1,
  stages: [{ share: 1, to: 1 }],
  strict: true,
  slower: 1,
};

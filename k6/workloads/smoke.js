// Does everything work, and do the claims hold? A quarter of the rates, for a few seconds each.
export default {
  seconds: 10,
  start: 0.25,
  stages: [{ share: 1, to: 0.25 }],
  strict: true,
  slower: 1,
};

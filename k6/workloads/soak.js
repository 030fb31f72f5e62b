// Half of a busy day, for an hour or as long as DURATION says: what grows, leaks or expires shows.
export default {
  seconds: 3600,
  start: 0.5,
  stages: [{ share: 1, to: 0.5 }],
  strict: true,
  slower: 1,
};

// How much is too much: the rate grows until latencies or arrivals give way, which ends the run, and its failure says
// where. What it claims to be right still has to be.
export default {
  seconds: 600,
  start: 0.5,
  stages: [{ share: 1, to: 10 }],
  strict: false,
  slower: 10,
  ends: true,
};

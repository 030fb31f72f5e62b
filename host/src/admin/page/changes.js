// What happened between two looks at the components.

/**
 * @returns {{kind: string, service: string, replica: string}[]} with what belongs to the kind: `generation`, `digest`,
 * `stage`, `message`.
 */
export function changes(before, after) {
  return after.flatMap((now) => {
    const then = before.find((other) => other.replica === now.replica);
    return then ? ofReplica(then, now) : [];
  });
}

function ofReplica(then, now) {
  const { service, replica } = now;
  const happened = [];
  const tell = (kind, more) => happened.push({ kind, service, replica, ...more });
  if (now.loading && now.loading.digest !== then.loading?.digest) tell('loading', { digest: now.loading.digest });
  if (isNewer(then.last_refusal, now.last_refusal)) {
    tell('refused', { stage: now.last_refusal.stage, message: now.last_refusal.message });
  }
  if (now.current && now.current.generation !== then.current?.generation) {
    const isBack = then.current && now.current.generation < then.current.generation;
    const isForth = then.previous?.generation === now.current.generation;
    tell(isBack || isForth ? 'rolled_back' : 'switched', {
      generation: now.current.generation,
      digest: now.current.digest,
    });
  } else if (then.current?.probation && now.current && !now.current.probation) {
    tell('passed', { generation: now.current.generation });
  }
  for (const { generation, in_flight } of retired(then)) {
    const left = retired(now).find((other) => other.generation === generation);
    const serves = now.current?.generation === generation;
    if (in_flight > 0 && !serves && !(left?.in_flight > 0)) tell('drained', { generation });
  }
  return happened;
}

/** Those that finish what they have begun. */
export const retired = (component) => [component.previous, ...component.draining].filter(Boolean);

/** Ages are whole seconds, so that the same refusal is never younger than before. */
function isNewer(then, now) {
  if (!now) return false;
  return !then || now.age_s < then.age_s || now.stage !== then.stage || now.message !== then.message;
}

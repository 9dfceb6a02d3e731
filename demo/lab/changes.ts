/** Of each line of a text, whether it is another than in the text that it was made of: what is not in their longest common part. */
export function changedLines(before: string, after: string): boolean[] {
  const [old, now] = [before.split('\n'), after.split('\n')];
  const least = Math.min(old.length, now.length);
  let head = 0;
  while (head < least && old[head] === now[head]) head++;
  let tail = 0;
  while (tail < least - head && old.at(-1 - tail) === now.at(-1 - tail)) tail++;
  const [from, to] = [old.slice(head, old.length - tail), now.slice(head, now.length - tail)];
  // common[i][j]: lines that from[i..] and to[j..] have in common at most.
  const common = Array.from({ length: from.length + 1 }, () => new Uint32Array(to.length + 1));
  for (let i = from.length - 1; i >= 0; i--)
    for (let j = to.length - 1; j >= 0; j--)
      common[i]![j] = from[i] === to[j] ? common[i + 1]![j + 1]! + 1 : Math.max(common[i + 1]![j]!, common[i]![j + 1]!);
  const changed = now.map(() => false);
  for (let i = 0, j = 0; j < to.length; ) {
    if (i < from.length && from[i] === to[j]) i++;
    else if (i < from.length && common[i + 1]![j]! >= common[i]![j + 1]!) {
      i++;
      continue;
    } else changed[head + j] = true;
    j++;
  }
  return changed;
}

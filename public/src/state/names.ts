/** Equal names in a room are told apart by ·2, ·3, in the order of the members. */
export function displayNames(
  members: readonly { readonly id: string; readonly nickname: string }[],
): ReadonlyMap<string, string> {
  const seen = new Map<string, number>();
  const shown = new Map<string, string>();
  for (const { id, nickname } of members) {
    const count = (seen.get(nickname) ?? 0) + 1;
    seen.set(nickname, count);
    shown.set(id, count === 1 ? nickname : `${nickname}·${count}`);
  }
  return shown;
}

/** The word being typed after the last "@", and who is meant by the names in a text. */
type Person = { readonly id: string; readonly name: string };

export function mentionQuery(text: string): string | null {
  const found = /(?:^|\s)@([^\s@]{0,16})$/u.exec(text);
  return found ? (found[1] ?? '') : null;
}

export function completeMention(text: string, name: string): string {
  return text.replace(/@[^\s@]{0,16}$/u, `@${name} `);
}

/** Longer names first, so that "@minsu2" is not taken for "@minsu". At most ten. */
export function mentionedIn(text: string, people: readonly Person[]): string[] {
  let rest = text;
  const found: string[] = [];
  for (const { id, name } of people.toSorted((a, b) => b.name.length - a.name.length)) {
    if (name === '' || !rest.includes(`@${name}`)) continue;
    found.push(id);
    rest = rest.replaceAll(`@${name}`, ' ');
  }
  return found.slice(0, 10);
}

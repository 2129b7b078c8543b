export type Params = Readonly<Record<string, string | number>>;

/** `{n}` is replaced by its parameter; `{n|horse|horses}` chooses by whether it is 1. An absent parameter stays as written. */
export function fill(text: string, params: Params): string {
  return text.replace(/\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g, (whole, name: string, one?: string, many?: string) => {
    const value = params[name];
    if (value === undefined) return whole;
    if (one === undefined || many === undefined) return String(value);
    return Number(value) === 1 ? one : many;
  });
}

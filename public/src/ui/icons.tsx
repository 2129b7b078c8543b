/** Inline pictures, 24 × 24, drawn with the text's colour. They say nothing by themselves: the control has the label. */
const PATHS = {
  back: 'M15 5l-7 7 7 7',
  next: 'M9 5l7 7-7 7',
  trophy: 'M7 4h10v6a5 5 0 0 1-10 0zM7 6H3.500c0 3 1.500 5 4 5M17 6h3.500c0 3-1.500 5-4 5M12 15v4M8 20.500h8',
  close: 'M6 6l12 12M18 6L6 18',
  plus: 'M12 5v14M5 12h14',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  lock: 'M7 11V8a5 5 0 0 1 10 0v3M5.5 11h13v9h-13z',
  share: 'M12 15V4M8 7.5L12 3.5l4 4M5 12v8h14v-8',
  user: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20.5c1-4 4-6 7.500-6s6.500 2 7.500 6',
  users:
    'M9 11.500a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM2.500 19.500c.8-3.500 3.300-5.300 6.500-5.300s5.700 1.800 6.500 5.300M15.500 5a3.500 3.500 0 0 1 0 6.500M17.500 14.500c2.200.7 3.500 2.300 4 5',
  chat: 'M4 5h16v11H10l-5 4v-4H4z',
  eye: 'M2.500 12S6 5.500 12 5.500 21.500 12 21.500 12 18 18.500 12 18.500 2.500 12 2.500 12zM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6z',
  crown: 'M4 18h16l1.200-10-5 3.500L12 5l-4.200 6.500-5-3.500z',
  check: 'M5 12.500l4.500 4.500L19 7.500',
  coin: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 8v8M9 10.500c.5-3 6-2.500 6 0s-6 1-6 3.500 5.500 3 6 0',
  flag: 'M6 21V4M6 5h12l-3 4 3 4H6',
  history: 'M4 12a8 8 0 1 0 2.500-5.800M4 4v4h4M12 8v4.500l3 2',
  settings:
    'M4 7h9M17 7h3M4 17h3M11 17h9M15 9.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5zM9 19.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5z',
  search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l4.500 4.500',
  send: 'M4 12l16-8-5.500 16-3-6.500z',
  reply: 'M10 7L4.500 12.500 10 18M5 12.500h8c4 0 6 2 6.500 6',
  smile: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM8.500 14.500c1.800 2.500 5.200 2.500 7 0M9 9.500h.01M15 9.500h.01',
  dice: 'M5 5h14v14H5zM9 9h.01M15 9h.01M12 12h.01M9 15h.01M15 15h.01',
  link: 'M10 14a4 4 0 0 0 5.700 0l3-3a4 4 0 0 0-5.700-5.700l-1 1M14 10a4 4 0 0 0-5.700 0l-3 3A4 4 0 0 0 11 18.700l1-1',
  door: 'M14 4H6v16h8M11 12h10M17.500 8l4 4-4 4',
  play: 'M8 5l11 7-11 7z',
  shield: 'M12 3l7.500 3v5.500c0 4.500-3 8-7.500 9.500-4.500-1.500-7.500-5-7.500-9.500V6zM8.500 12l2.500 2.500 4.500-5',
  down: 'M6 9l6 6 6-6',
  warn: 'M12 4l9.500 16h-19zM12 10v4.500M12 17.500h.01',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 22 }: { name: IconName; size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path
        d={PATHS[name]}
        fill="none"
        stroke="currentColor"
        stroke-width="1.9"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  );
}

export function Mark({ size = 30 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="8" fill="#17402f" />
      <path d="M9 25c0-7 2-9 2-13l-2-4 4 1c5-2 9 1 11 7l-2 3-5-2c-1 3 1 4 1 8z" fill="#f6efe0" />
      <path d="M9 25h9" stroke="#d9a441" stroke-width="2" />
    </svg>
  );
}

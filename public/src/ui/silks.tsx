import type { Silks } from '../types.ts';

const JACKET = 'M8 4l4 2h8l4-2 6 6-4 5-3-2v15H9V13l-3 2-4-5z';

/** A jockey's jacket in its colours. Decoration beside a number and a name. */
export function SilksIcon({ silks, id, size = 30 }: { silks: Silks; id: string; size?: number }) {
  const [ground, figure] = silks.colours;
  const clip = `silks-${id}`;
  return (
    <svg class="silks" width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <clipPath id={clip}>
        <path d={JACKET} />
      </clipPath>
      <g clip-path={`url(#${clip})`}>
        <rect width="32" height="32" fill={ground} />
        <Figure pattern={silks.pattern} colour={figure} />
      </g>
      <path d={JACKET} fill="none" stroke="rgba(24,38,31,.45)" stroke-width="1.2" stroke-linejoin="round" />
    </svg>
  );
}

function Figure({ pattern, colour }: { pattern: Silks['pattern']; colour: string }) {
  switch (pattern) {
    case 'stripes':
      return <path d="M10 0v32M16 0v32M22 0v32" stroke={colour} stroke-width="3" />;
    case 'hoops':
      return <path d="M0 10h32M0 17h32M0 24h32" stroke={colour} stroke-width="3.4" />;
    case 'sash':
      return <path d="M6 4l20 24" stroke={colour} stroke-width="6" />;
    case 'quarters':
      return <path d="M0 0h16v16H0zM16 16h16v16H16z" fill={colour} />;
    case 'spots':
      return (
        <g fill={colour}>
          <circle cx="12" cy="12" r="2.2" />
          <circle cx="20" cy="12" r="2.2" />
          <circle cx="16" cy="18" r="2.2" />
          <circle cx="12" cy="24" r="2.2" />
          <circle cx="20" cy="24" r="2.2" />
          <circle cx="5" cy="10" r="1.8" />
          <circle cx="27" cy="10" r="1.8" />
        </g>
      );
    default:
      return <path d="M0 4h9v14H0zM23 4h9v14h-9z" fill={colour} />;
  }
}

import { useEffect, useRef } from 'preact/hooks';
import { dismissToast, toasts } from '../state/toasts.ts';

/** Below the top bar, where no button is; as a popover they also lie above an open sheet. */
export function Toasts() {
  const place = useRef<HTMLDivElement>(null);
  const shown = toasts.value;
  useEffect(() => {
    const popover = place.current;
    if (popover === null || typeof popover.showPopover !== 'function') return;
    if (popover.matches(':popover-open')) popover.hidePopover();
    if (shown.length > 0) popover.showPopover();
  }, [shown]);
  return (
    <div ref={place} class="toasts" popover="manual" role="status" aria-live="polite">
      {shown.map(({ id, text, tone }) => (
        <button key={id} type="button" class={`toast toast-${tone}`} onClick={() => dismissToast(id)}>
          {text}
        </button>
      ))}
    </div>
  );
}

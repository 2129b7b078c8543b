import { dismissToast, toasts } from '../state/toasts.ts';

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(({ id, text, tone }) => (
        <button key={id} type="button" class={`toast toast-${tone}`} onClick={() => dismissToast(id)}>
          {text}
        </button>
      ))}
    </div>
  );
}

/** A list of terms, and what each one is. */
export function Terms({ terms, class: style }: { terms: readonly (readonly [term: string, meaning: string])[]; class?: string }) {
  return (
    <dl class={style}>
      {terms.map(([term, meaning]) => (
        <div key={term}>
          <dt>{term}</dt>
          <dd>{meaning}</dd>
        </div>
      ))}
    </dl>
  );
}

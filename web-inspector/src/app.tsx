export function App() {
  return <h1>Shingle</h1>;
}

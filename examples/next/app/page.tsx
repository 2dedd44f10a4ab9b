import { Ask } from './ask';

export default function Page() {
  return (
    <main>
      <h1>Ask about an image</h1>
      <Ask />
    </main>
  );
}

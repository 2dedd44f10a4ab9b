// A chat template in Jinja: one line per turn, images at their position. Families differ only in the image placeholder.

/**
 * Renders `role: content` per message. `image` is what stands for an image part; `{n}` in it is the number of the image,
 * counted from 1 over the conversation.
 */
export function chatTemplate(image: string): string {
  const placeholder = image
    .split('{n}')
    .map((text) => JSON.stringify(text))
    .join(' ~ count.images ~ ');
  return [
    '{% set count = namespace(images=0) %}',
    '{% for message in messages %}{{ message.role }} : ',
    '{% if message.content is string %}{{ message.content }}{% else %}',
    '{% for part in message.content %}',
    "{% if part.type == 'image' %}",
    `{% set count.images = count.images + 1 %}{{ ${placeholder} }}`,
    '{% else %}{{ part.text }}{% endif %}',
    '{% endfor %}{% endif %}\n{% endfor %}',
    '{% if add_generation_prompt %}assistant : {% endif %}',
  ].join('');
}

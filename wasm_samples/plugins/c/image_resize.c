// Images to another size, against the same WIT as the plugin in Rust; binary PNM (P6) alone.
//
// `plugin.c` and `plugin.h` were generated:
//     wit-bindgen c --world plugin --out-dir . ../wit
// To build, with zig as the C compiler (any clang with a WASI sysroot does it too):
//     python -m ziglang cc -target wasm32-wasi -mexec-model=reactor -Os -s -Wl,--strip-all \
//         image_resize.c plugin.c -o core.wasm
//     wasm-tools component embed --world plugin ../wit core.wasm -o embedded.wasm
//     wasm-tools component new embedded.wasm -o image_resize.wasm

#include "plugin.h"
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef exports_wasm_lab_plugins_transform_failure_t failure_t;
typedef exports_wasm_lab_plugins_transform_content_t content_t;
typedef plugin_list_u8_t bytes_t;

enum { MOST_PIXELS = 4096 };

// The generated code asks for this object file, which holds the WIT; `component embed` adds that instead.
void __component_type_object_force_link_plugin(void) {}

static bool bad_input(failure_t *failure, const char *why) {
  failure->tag = EXPORTS_WASM_LAB_PLUGINS_TRANSFORM_FAILURE_BAD_INPUT;
  plugin_string_dup(&failure->val.bad_input, why);
  return false;
}

static bool bad_option(failure_t *failure, const plugin_string_t *name, const char *why) {
  failure->tag = EXPORTS_WASM_LAB_PLUGINS_TRANSFORM_FAILURE_BAD_OPTION;
  plugin_string_dup_n(&failure->val.bad_option.f0, (const char *)name->ptr, name->len);
  plugin_string_dup(&failure->val.bad_option.f1, why);
  return false;
}

static bool equals(const plugin_string_t *text, const char *word) {
  return text->len == strlen(word) && memcmp(text->ptr, word, text->len) == 0;
}

// A decimal number of 1 to MOST_PIXELS; 0 for anything else.
static uint32_t pixels(const uint8_t *digits, size_t len) {
  uint32_t number = 0;
  for (size_t i = 0; i < len; i++) {
    if (!isdigit(digits[i])) return 0;
    number = number * 10 + (digits[i] - '0');
    if (number > MOST_PIXELS) return 0;
  }
  return number;
}

// The next number of a PNM header; comments run from # to the end of the line.
static uint32_t header_number(const bytes_t *input, size_t *at) {
  while (*at < input->len && (isspace(input->ptr[*at]) || input->ptr[*at] == '#')) {
    if (input->ptr[*at] == '#')
      while (*at < input->len && input->ptr[*at] != '\n') ++*at;
    else
      ++*at;
  }
  size_t start = *at;
  while (*at < input->len && isdigit(input->ptr[*at])) ++*at;
  return pixels(input->ptr + start, *at - start);
}

static float triangle(float x) { return fabsf(x) < 1 ? 1 - fabsf(x) : 0; }

// Each of `lines` lines of `from` pixels becomes one of `to` pixels. A line begins `line` floats after the
// one before and a pixel `step` floats after its neighbour, so this does rows as well as columns.
// The weights are those of the crate `image`: a kernel as wide as the pixels that fall into one.
static void resample(const float *source, uint32_t from, size_t source_step, size_t source_line, float *target,
                     uint32_t to, size_t target_step, size_t target_line, uint32_t lines, bool nearest) {
  float ratio = (float)from / (float)to, wide = ratio < 1 ? 1 : ratio;
  float support = nearest ? 0 : wide;
  float *weights = malloc(sizeof(float) * ((size_t)(2 * wide) + 4));
  if (!weights) abort();
  for (uint32_t out = 0; out < to; out++) {
    float centre = ((float)out + 0.5f) * ratio;
    int64_t left = (int64_t)floorf(centre - support), right = (int64_t)ceilf(centre + support);
    if (left < 0) left = 0;
    if (left > (int64_t)from - 1) left = (int64_t)from - 1;
    if (right < left + 1) right = left + 1;
    if (right > (int64_t)from) right = from;
    float sum = 0;
    centre -= 0.5f;
    for (int64_t i = left; i < right; i++) {
      weights[i - left] = nearest ? 1 : triangle(((float)i - centre) / wide);
      sum += weights[i - left];
    }
    for (int64_t i = left; i < right; i++) weights[i - left] /= sum;
    for (uint32_t line = 0; line < lines; line++) {
      for (int channel = 0; channel < 3; channel++) {
        float value = 0;
        for (int64_t i = left; i < right; i++)
          value += source[line * source_line + i * source_step + channel] * weights[i - left];
        target[line * target_line + out * target_step + channel] = value;
      }
    }
  }
  free(weights);
}

static bool resize(const bytes_t *input, uint32_t width, uint32_t height, bool nearest, bytes_t *ret,
                   failure_t *err) {
  if (input->len < 2 || memcmp(input->ptr, "P6", 2) != 0) return bad_input(err, "no binary PNM (P6)");
  size_t at = 2;
  uint32_t from_width = header_number(input, &at), from_height = header_number(input, &at);
  if (!from_width || !from_height) return bad_input(err, "its size is not within 1 to 4096 pixels");
  if (header_number(input, &at) != 255) return bad_input(err, "only 255 levels of each colour are read");
  at++; // one white space
  size_t values = (size_t)from_width * from_height * 3;
  if (at > input->len || input->len - at < values) return bad_input(err, "it is cut short");

  if (!width) width = ((uint64_t)from_width * height + from_height / 2) / from_height;
  if (!height) height = ((uint64_t)from_height * width + from_width / 2) / from_width;
  width = width < 1 ? 1 : width > MOST_PIXELS ? MOST_PIXELS : width;
  height = height < 1 ? 1 : height > MOST_PIXELS ? MOST_PIXELS : height;

  size_t made = (size_t)width * height * 3;
  float *source = malloc(sizeof(float) * values);
  float *narrow = malloc(sizeof(float) * from_width * height * 3), *done = malloc(sizeof(float) * made);
  ret->ptr = malloc(64 + made);
  if (!source || !narrow || !done || !ret->ptr) abort();
  for (size_t i = 0; i < values; i++) source[i] = input->ptr[at + i];
  resample(source, from_height, from_width * 3, 3, narrow, height, from_width * 3, 3, from_width, nearest);
  resample(narrow, from_width, 3, from_width * 3, done, width, 3, width * 3, height, nearest);

  // The header by hand: printf would bring along all of WASI's standard output.
  uint8_t *end = ret->ptr;
  memcpy(end, "P6\n", 3), end += 3;
  uint32_t numbers[] = {width, height, 255};
  for (int i = 0; i < 3; i++) {
    char digits[10];
    int count = 0;
    for (uint32_t rest = numbers[i]; rest; rest /= 10) digits[count++] = '0' + rest % 10;
    while (count) *end++ = digits[--count];
    *end++ = i == 0 ? ' ' : '\n';
  }
  for (size_t i = 0; i < made; i++) {
    float value = done[i] < 0 ? 0 : done[i] > 255 ? 255 : done[i];
    *end++ = (uint8_t)(value + 0.5f);
  }
  ret->len = end - ret->ptr;
  free(source), free(narrow), free(done);
  return true;
}

void exports_wasm_lab_plugins_transform_describe(exports_wasm_lab_plugins_transform_description_t *ret) {
  static const char *options[] = {"width", "height", "filter"};
  plugin_string_dup(&ret->name, "image-resize-c");
  plugin_string_dup(&ret->version, "1.0.0");
  plugin_string_dup(&ret->summary, "Images to another size, in the same format, in C.");
  plugin_string_dup(&ret->gives, "image/x-portable-pixmap");
  ret->accepts = (plugin_list_string_t){malloc(sizeof(plugin_string_t)), 1};
  ret->options = (plugin_list_string_t){malloc(sizeof(plugin_string_t) * 3), 3};
  if (!ret->accepts.ptr || !ret->options.ptr) abort();
  plugin_string_dup(&ret->accepts.ptr[0], "image/x-portable-pixmap");
  for (int i = 0; i < 3; i++) plugin_string_dup(&ret->options.ptr[i], options[i]);
}

bool exports_wasm_lab_plugins_transform_apply(content_t *input, plugin_list_tuple2_string_string_t *options,
                                              content_t *ret, failure_t *err) {
  uint32_t width = 0, height = 0;
  bool nearest = false, done = true;
  for (size_t i = 0; done && i < options->len; i++) {
    const plugin_string_t *name = &options->ptr[i].f0, *value = &options->ptr[i].f1;
    if (equals(name, "width") || equals(name, "height")) {
      uint32_t number = pixels(value->ptr, value->len);
      if (!number) done = bad_option(err, name, "it is no number of pixels from 1 to 4096");
      if (equals(name, "width")) width = number;
      else height = number;
    } else if (equals(name, "filter")) {
      nearest = equals(value, "nearest");
      if (!nearest && !equals(value, "bilinear")) done = bad_option(err, name, "nearest and bilinear are known");
    } else {
      done = bad_option(err, name, "there is no such option");
    }
  }
  if (done && !width && !height) {
    plugin_string_t name;
    plugin_string_set(&name, "width");
    done = bad_option(err, &name, "give a width, a height or both");
  }
  if (done && input->tag != EXPORTS_WASM_LAB_PLUGINS_TRANSFORM_CONTENT_BINARY)
    done = bad_input(err, "no binary PNM (P6)");
  ret->tag = EXPORTS_WASM_LAB_PLUGINS_TRANSFORM_CONTENT_BINARY;
  done = done && resize(&input->val.binary, width, height, nearest, &ret->val.binary, err);
  exports_wasm_lab_plugins_transform_content_free(input);
  plugin_list_tuple2_string_string_free(options);
  return done;
}

// libedit's variadic calls with fixed arguments, since Swift cannot call variadic C functions.
#include <histedit.h>
#include <stdio.h>
#include <unistd.h>

typedef char *(*fettle_prompt_function)(EditLine *);
typedef unsigned char (*fettle_key_function)(EditLine *, int);

// libedit on the standard streams. Where `draws` is 0 what it would draw goes nowhere, and whoever asks draws the line.
static inline EditLine *fettle_el_init(const char *program, int draws) {
  FILE *output = draws ? stdout : fopen("/dev/null", "we");
  if (output == NULL) return NULL;
  return el_init_fd(program, stdin, output, draws ? stderr : output, STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO);
}

// The prompt may contain escape codes between two characters `quote`, which take no columns.
static inline int fettle_el_prompt(EditLine *editor, fettle_prompt_function prompt, char quote) {
  return el_set(editor, EL_PROMPT_ESC, prompt, quote);
}

static inline int fettle_el_right_prompt(EditLine *editor, fettle_prompt_function prompt, char quote) {
  return el_set(editor, EL_RPROMPT_ESC, prompt, quote);
}

static inline int fettle_el_set_number(EditLine *editor, int operation, int value) {
  return el_set(editor, operation, value);
}

static inline int fettle_el_set_text(EditLine *editor, int operation, const char *value) {
  return el_set(editor, operation, value);
}

static inline int fettle_el_bind(EditLine *editor, const char *key, const char *command) {
  return el_set(editor, EL_BIND, key, command, NULL);
}

static inline int fettle_el_add_function(EditLine *editor, const char *name, const char *help,
                                         fettle_key_function function) {
  return el_set(editor, EL_ADDFN, name, help, function);
}

static inline int fettle_el_set_client(EditLine *editor, void *client) {
  return el_set(editor, EL_CLIENTDATA, client);
}

static inline void *fettle_el_client(EditLine *editor) {
  void *client = NULL;
  el_get(editor, EL_CLIENTDATA, &client);
  return client;
}

static inline const char *fettle_el_editor(EditLine *editor) {
  const char *name = NULL;
  el_get(editor, EL_EDITOR, &name);
  return name;
}

// The modes between lines: as they are while a command runs, so that nothing is echoed or cut in between.
static inline int fettle_el_quiet_between_lines(EditLine *editor) {
  return el_set(editor, EL_SETTY, "-x", "-icanon", "-echo", NULL);
}

static inline int fettle_el_set_reader(EditLine *editor, el_rfunc_t reader) {
  return el_set(editor, EL_GETCFN, reader);
}

static inline int fettle_el_refresh(EditLine *editor) { return el_set(editor, EL_REFRESH); }

static inline int fettle_el_history(EditLine *editor, History *entries) {
  return el_set(editor, EL_HIST, history, entries);
}

static inline int fettle_history_size(History *entries, int size) {
  HistEvent event;
  return history(entries, &event, H_SETSIZE, size);
}

static inline int fettle_history_clear(History *entries) {
  HistEvent event;
  return history(entries, &event, H_CLEAR);
}

static inline int fettle_history_enter(History *entries, const char *line) {
  HistEvent event;
  return history(entries, &event, H_ENTER, line);
}

// The macros that check types of the variadic calls would reject an option that is a variable.
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

// Swift imports no variadic functions: one of fixed arity for each type of argument.

static inline CURLcode fettle_curl_set_string(CURL *handle, CURLoption option, const char *value) {
  return curl_easy_setopt(handle, option, value);
}

static inline CURLcode fettle_curl_set_long(CURL *handle, CURLoption option, long value) {
  return curl_easy_setopt(handle, option, value);
}

static inline CURLcode fettle_curl_set_context(CURL *handle, CURLoption option, void *value) {
  return curl_easy_setopt(handle, option, value);
}

typedef size_t (*fettle_curl_bytes_callback)(char *bytes, size_t size, size_t count, void *context);

// For CURLOPT_WRITEFUNCTION and CURLOPT_HEADERFUNCTION.
static inline CURLcode fettle_curl_set_bytes_callback(
    CURL *handle, CURLoption option, fettle_curl_bytes_callback callback) {
  return curl_easy_setopt(handle, option, callback);
}

static inline CURLcode fettle_curl_set_progress_callback(CURL *handle, curl_xferinfo_callback callback) {
  return curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, callback);
}

// http and https alone, for the first address and for those it redirects to.
static inline CURLcode fettle_curl_allow_http_only(CURL *handle) {
#if LIBCURL_VERSION_NUM >= 0x075500
  CURLcode code = curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  if (code != CURLE_OK) return code;
  return curl_easy_setopt(handle, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
#else
  CURLcode code = curl_easy_setopt(handle, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
  if (code != CURLE_OK) return code;
  return curl_easy_setopt(handle, CURLOPT_REDIR_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

// 0 where libcurl does not know.
static inline long fettle_curl_get_long(CURL *handle, CURLINFO info) {
  long value = 0;
  curl_easy_getinfo(handle, info, &value);
  return value;
}

// -1 where libcurl does not know.
static inline curl_off_t fettle_curl_get_offset(CURL *handle, CURLINFO info) {
  curl_off_t value = -1;
  curl_easy_getinfo(handle, info, &value);
  return value;
}

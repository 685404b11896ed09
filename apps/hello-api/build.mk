# SPDX-License-Identifier: Apache-2.0
hello-api_WITH = $(HTTP_WITH)
hello-api_LIBS = $(HTTP_LIBS)
hello-api_PART_LIBS = $(HTTP_LIBS)

// A program that does nothing until it is killed: the floor of idle memory. It says when it has come that far.
#include <unistd.h>

int main() {
  if (write(STDOUT_FILENO, ".", 1) == 1) pause();
}

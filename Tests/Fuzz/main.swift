import Foundation

exit(Fuzzing.run(Array(CommandLine.arguments.dropFirst())))
